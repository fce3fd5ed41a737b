"""What the triggers of signing up are told, and what their answers mean."""

import pytest

from poolhouse.core import events
from poolhouse.model import InvalidLambdaResponseException, InvalidParameterException
from tests.core.examples import make_pool, make_user


def test_metadata_is_told_only_where_given():
    """The event has no clientMetadata unless the request carried some."""
    assert events.pre_sign_up({"email": "a@x.org"}, {}, None) == {
        "userAttributes": {"email": "a@x.org"},
        "validationData": None,
    }
    assert events.pre_sign_up({}, {"k": "v"}, {"m": "n"}) == {
        "userAttributes": {},
        "validationData": {"k": "v"},
        "clientMetadata": {"m": "n"},
    }


def test_a_confirmed_user_is_shown_with_status():
    """After confirmation the attributes come with sub and status."""
    told = events.post_confirmation(make_pool(), make_user(attributes={"email": "a@x.org"}), None)["userAttributes"]

    assert told["cognito:user_status"] == "CONFIRMED"
    assert told["email"] == "a@x.org"
    assert "sub" in told


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (None, events.Verdict()),
        ({"autoConfirmUser": False, "autoVerifyEmail": None}, events.Verdict()),
        ({"autoConfirmUser": True}, events.Verdict(confirmed=True)),
        (
            {"autoConfirmUser": True, "autoVerifyEmail": True},
            events.Verdict(confirmed=True, verified=frozenset({"email"})),
        ),
    ],
)
def test_verdicts(reply, verdict):
    """Flags that are missing or null are false."""
    assert events.read_verdict(reply, {"email": "a@x.org"}) == verdict


def test_verdicts_that_make_no_sense():
    """Flags that are no booleans, and verifications of nothing, are refused."""
    with pytest.raises(InvalidLambdaResponseException, match="Unrecognizable lambda output"):
        events.read_verdict({"autoConfirmUser": "yes"}, {})
    with pytest.raises(InvalidParameterException):
        events.read_verdict({"autoVerifyPhone": True}, {"email": "a@x.org"})
