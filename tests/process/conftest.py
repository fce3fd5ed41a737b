"""Servers as processes, on both databases."""

import pathlib
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import own_database as empty_database
from tests.process.program import Program


@pytest.fixture
def own_database(database_kind: str, tmp_path: pathlib.Path) -> Iterator[str]:
    """A fresh database for one test."""
    with empty_database(database_kind, tmp_path, "data/poolhouse.db") as url:
        yield url


@pytest.fixture
def install(tmp_path: pathlib.Path) -> Iterator[Callable[..., Program]]:
    """Make an installation in a directory of the test; its server ends with the test."""
    made: list[Program] = []

    def make(database: str, directory: str = ".", **settings: str) -> Program:
        place = tmp_path / directory
        place.mkdir(exist_ok=True)
        made.append(Program(place, database, **settings))
        return made[-1]

    yield make
    for program in made:
        program.clean_up()


@pytest.fixture
def program(install: Callable[..., Program], own_database: str) -> Program:
    """An installation whose server is not started yet."""
    return install(own_database)
