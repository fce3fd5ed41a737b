"""Every constraint of every request that is served, at its bound (spec/api/01 §4, 13)."""

import base64
import json
import re

import pytest

from poolhouse.api.registry import HANDLERS
from poolhouse.model import OPERATIONS, Access
from tests.matrix.model import camel, failures, input_of, missing
from tests.matrix.samples import probes
from tests.matrix.world import CASES
from tests.wire.answers import check

pytestmark = pytest.mark.any_database
VALIDATION = re.compile(r"\d+ validation errors? detected: ")


def plain(value):
    """A request as JSON has it."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@pytest.fixture
def send(raw):
    """Send a request; give the text of its refusal, or nothing. Whatever it is, the operation declares it."""

    def post(operation, document):
        body = json.dumps(document).encode()
        signed = OPERATIONS[operation].access is Access.ADMIN
        answer = raw.signed(operation, body) if signed else raw.post(operation, body)
        check(operation, answer, body)
        return None if answer.status == 200 else answer.document.get("message", "")

    return post


def refusal(sentences):
    """What these failures are told as."""
    count = "1 validation error" if len(sentences) == 1 else f"{len(sentences)} validation errors"
    return f"{count} detected: {'; '.join(sentences)}"


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_required_members(operation, world, send):
    """spec/api/01 §1.7, §4: each required member, left out or null, is told by its path; so are all of them at once."""
    base = plain(next(CASES[operation](world)))
    required = sorted(input_of(operation).required_members)
    for name in required:
        told = refusal([missing(camel(name))])
        assert send(operation, {key: value for key, value in base.items() if key != name}) == told
        assert send(operation, base | {name: None}) == told
    if required:
        assert send(operation, {}) == refusal([missing(camel(name)) for name in required])


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_constraints_at_their_bounds(operation, world, send):
    """spec/api/01 §4: a value just inside is no validation error, one just outside is told in the service's words."""
    base = plain(next(CASES[operation](world)))
    shape = input_of(operation)
    wrong = []
    for probe in probes(operation, base):
        expected = list(failures(shape, probe.document))
        told = send(operation, probe.document)
        if expected and told != refusal(expected):
            wrong.append((probe.about, f"told {told!r}", f"not {refusal(expected)!r}"))
        elif not expected and told and VALIDATION.match(told):
            wrong.append((probe.about, f"told {told!r}", "although all is met"))
    assert not wrong
