"""The words of a CustomMessage function: what it may answer, and what is refused."""

from typing import Any

import pytest

from poolhouse.core.custom_messages import check_no_mail, code_places, customised, is_mail_own, message_request
from poolhouse.core.messages import MessageKind, Words
from poolhouse.model import (
    DeliveryMediumType,
    EmailConfigurationType,
    EmailSendingAccountType,
    InvalidLambdaResponseException,
)
from tests.core.test_messages import pool

EMAIL, SMS = DeliveryMediumType.EMAIL, DeliveryMediumType.SMS
POOLS = Words("pool {####}", "pool")
BY_CODE, BY_LINK = code_places("1", by_link=False), code_places("1", by_link=True)


def words(
    response: dict[str, Any] | None,
    kind: MessageKind = MessageKind.SIGN_UP,
    medium: DeliveryMediumType = EMAIL,
    places: frozenset[str] = BY_CODE,
) -> Words:
    return customised(POOLS, response, kind, medium, places=places)


@pytest.mark.parametrize("kind", MessageKind)
def test_the_function_gets_places_and_no_code(kind: MessageKind):
    """spec/api/06 §9: the link's place is always there, the user name's in invitations, metadata if there is some."""
    expected = {
        "userAttributes": {"sub": "1"},
        "codeParameter": "{####}",
        "linkParameter": "{##Click Here##}",
        "usernameParameter": "{username}" if kind == MessageKind.ADMIN_CREATE_USER else None,
    }
    assert message_request({"sub": "1"}, kind, None) == message_request({"sub": "1"}, kind, {}) == expected
    assert message_request({"sub": "1"}, kind, {"a": "b"}) == expected | {"clientMetadata": {"a": "b"}}


def test_null_keeps_the_pools_words():
    """Each member replaces its part; those of the other medium do not count."""
    response = {"smsMessage": "sms {####}", "emailMessage": "mail {####}", "emailSubject": None}

    assert words(None) == words({}) == POOLS
    assert words(response) == Words("mail {####}", "pool")
    assert words({"emailSubject": "new"}) == Words("pool {####}", "new")
    assert words({"emailSubject": ""}) == POOLS
    assert words(response, medium=SMS).body == "sms {####}"
    assert words({"smsMessage": "no code"}) == POOLS


def test_the_longest_words():
    """140 characters of a text message or a subject, 20,000 of a mail; one more is refused (spec/api/06 §9)."""
    for name, medium, limit in (
        ("smsMessage", SMS, 140),
        ("emailMessage", EMAIL, 20_000),
        ("emailSubject", EMAIL, 140),
    ):
        longest = "{####}" + "é" * (limit - 6)
        assert longest in {(given := words({name: longest}, medium=medium)).body, given.subject}
        with pytest.raises(
            InvalidLambdaResponseException, match=f"^{name} must not be longer than {limit} characters$"
        ):
            words({name: longest + "é"}, medium=medium)


@pytest.mark.parametrize(
    ("body", "kind", "places"),
    [
        ("{####}", MessageKind.FORGOT_PASSWORD, BY_CODE),
        ("{##go##}", MessageKind.SIGN_UP, BY_LINK),
        ("{####}", MessageKind.SIGN_UP, BY_LINK),
        ("{username} {####}", MessageKind.ADMIN_CREATE_USER, BY_CODE),
        ("{username}", MessageKind.ADMIN_CREATE_USER, code_places(None, by_link=False)),
    ],
)
def test_words_with_every_place(body: str, kind: MessageKind, places: frozenset[str]):
    """The code has a place, or the link where one is due; an invitation names the user, and a code only if there is one."""
    assert words({"emailMessage": body}, kind, places=places).body == body


@pytest.mark.parametrize(
    ("response", "kind", "places"),
    [
        ({"emailMessage": "no code"}, MessageKind.SIGN_UP, BY_CODE),
        ({"emailMessage": ""}, MessageKind.SIGN_UP, BY_CODE),
        ({"emailMessage": "{##go##}"}, MessageKind.SIGN_UP, BY_CODE),
        ({"emailMessage": "{username}"}, MessageKind.SIGN_UP, BY_LINK),
    ],
)
def test_words_without_a_place_are_refused(response: dict[str, Any], kind: MessageKind, places: frozenset[str]):
    """What would leave the user without the code is no answer."""
    with pytest.raises(InvalidLambdaResponseException, match="does not hold every required placeholder"):
        words(response, kind, places=places)


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("{####}", BY_CODE),
        ("{username}", BY_CODE),
        ("", BY_CODE),
        ("hello", code_places(None, by_link=False)),
    ],
)
def test_invitations_without_a_place_are_the_pools(body: str, places: frozenset[str]):
    """Of an administrator's new user nothing fails: the pool's own words go out, its subject too."""
    response = {"emailMessage": body, "emailSubject": "Hello"}
    assert words(response, MessageKind.ADMIN_CREATE_USER, places=places) == POOLS
    with pytest.raises(InvalidLambdaResponseException):
        words({"emailMessage": 5}, MessageKind.ADMIN_CREATE_USER, places=places)


@pytest.mark.parametrize("response", [{"emailMessage": 5}, {"emailSubject": ["x"]}, {"smsMessage": {}}])
def test_an_answer_of_another_type_is_refused(response: dict[str, Any]):
    """Members are texts or null, of either medium."""
    with pytest.raises(InvalidLambdaResponseException, match=r"^Unrecognizable lambda output$"):
        words(response)


def test_strict_wants_mail_of_ones_own():
    """spec/api/06 §1.2: words for mail need the EmailSendingAccount DEVELOPER; text messages do not."""
    own = pool(
        email_configuration=EmailConfigurationType(
            email_sending_account=EmailSendingAccountType.DEVELOPER, source_arn="arn:aws:ses:x:1:i/a"
        )
    )
    assert (is_mail_own(own), is_mail_own(pool())) == (True, False)
    for response in (None, {}, {"smsMessage": "{####}", "emailMessage": None}):
        check_no_mail(response)
    for response in ({"emailMessage": "{####}"}, {"emailSubject": "s"}):
        with pytest.raises(InvalidLambdaResponseException):
            check_no_mail(response)
