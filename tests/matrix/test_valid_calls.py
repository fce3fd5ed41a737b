"""Every operation that is served does what it is documented to do (spec/api/02–10)."""

import pytest

from poolhouse.api.registry import HANDLERS
from poolhouse.model import OPERATIONS
from tests.matrix.world import CASES


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_a_valid_call(operation, world, call):
    """A valid request is answered in the operation's own shape, with everything required, and has its effect."""
    case = CASES[operation](world)
    answer = call(operation, **next(case))
    with pytest.raises(StopIteration):
        case.send(answer)


def test_every_operation_has_a_case():
    """Whoever serves another operation says here what a valid request is, and what it does."""
    assert set(HANDLERS) - set(CASES) == set()
    assert set(CASES) <= set(OPERATIONS)
