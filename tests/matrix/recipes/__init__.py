"""How declared errors are reached by one operation each: a request that must be refused with the error."""

from collections.abc import Callable
from typing import Any

from tests.matrix.rules import valid
from tests.matrix.world import World

Request = dict[str, Any]
Recipe = Callable[[World], Request]
RECIPES: dict[tuple[str, str], Recipe] = {}


def recipe(operation: str, error: str) -> Callable[[Recipe], Recipe]:
    """Enter a recipe for an error of an operation."""

    def enter(function: Recipe) -> Recipe:
        assert (operation, error) not in RECIPES
        RECIPES[operation, error] = function
        return function

    return enter


def for_each(operations: tuple[str, ...], error: str, make: Callable[[str, World], Request]) -> None:
    """Enter one recipe for several operations."""
    for operation in operations:
        recipe(operation, error)(lambda world, operation=operation: make(operation, world))


def otherwise(operation: str, error: str, **members: Any) -> None:
    """A valid request but for these members must be refused."""
    recipe(operation, error)(lambda world: valid(operation, world) | members)


def again(operation: str, error: str) -> None:
    """A valid request must be refused the second time."""

    def make(world: World) -> Request:
        request = valid(operation, world)
        world.call(operation, **request)
        return request

    recipe(operation, error)(make)
