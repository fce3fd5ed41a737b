"""The oracle and its samples are whole: every constraint of all 141 requests is broken and met."""

import pytest

from poolhouse.model import OPERATIONS
from tests.matrix.model import failures, input_of
from tests.matrix.samples import least, probes


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_the_least_request(operation):
    """spec/api/13: a request of required members alone, each as small as may be, meets every constraint."""
    shape = input_of(operation)
    assert list(failures(shape, least(shape))) == []


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_constraint_is_tried(operation):
    """spec/api/13: for each member with constraints there is a request that breaks one, and one that breaks none."""
    shape = input_of(operation)
    found: dict[str, set[bool]] = {}
    for probe in probes(operation, least(shape)):
        found.setdefault(probe.about, set()).add(any(failures(shape, probe.document)))
    assert {about for about, kinds in found.items() if kinds != {True, False}} == set()
