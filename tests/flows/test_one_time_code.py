"""Codes by mail and text message as the first thing that a sign-in asks for (spec/api/04 §4 and §5)."""

from collections.abc import Iterator

import pytest

from poolhouse.core.sign_in import METHODS
from poolhouse.flows import sign_in
from poolhouse.flows.sign_in_tokens import finish_with_tokens
from poolhouse.model import AuthFlowType, ChallengeNameType, NotAuthorizedException, UserStatusType
from tests.flows.stage import Stage, challenge, error, initiate, play, respond, tokens

WRONG = error("CodeMismatchException", "Invalid code or auth state for the user.")
LOCKED = error("NotAuthorizedException", "Password attempts exceeded")
ANN = {"email": "ann@example.org", "email_verified": "true", "phone_number": "+15551239934"}


@pytest.fixture
def stage(monkeypatch) -> Iterator[Stage]:
    """A stage whose sign-ins of USER_AUTH ask for a code by mail, through a client that conceals users."""
    monkeypatch.setitem(METHODS, AuthFlowType.USER_AUTH, ChallengeNameType.EMAIL_OTP)
    made = Stage()
    made.set_client(prevent_user_existence_errors="ENABLED")
    yield made
    made.close()


def begin(stage: Stage, name: str = "ann"):
    return play(stage, name) >> initiate("USER_AUTH")


def test_a_code_shows_who_is_there(stage: Stage):
    """The code has eight digits (spec/api/03 §12), and its session counts once."""
    stage.user(password=None, **ANN)
    shown = {"CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL", "CODE_DELIVERY_DESTINATION": "a***@e***"}
    asked = begin(stage) << challenge("EMAIL_OTP", **shown)
    code = stage.sent[-1].code
    assert len(code) == 8
    session = asked.answer.session
    asked >> respond("EMAIL_OTP", EMAIL_OTP_CODE=code) << tokens()
    spent = "Invalid session for the user, session can only be used once."
    play(stage) >> respond("EMAIL_OTP", session=session, EMAIL_OTP_CODE=code) << error("NotAuthorizedException", spent)


@pytest.mark.parametrize(
    "names", [{}, {"alias_attributes": ["phone_number"]}, {"username_attributes": ["phone_number"]}]
)
def test_a_text_message_verifies_the_number(stage: Stage, monkeypatch, names: dict[str, list[str]]):
    """SMS_OTP goes to the telephone, and its right code shows whose that is, whether or not users sign in by it."""
    stage.set_pool(**names)
    monkeypatch.setitem(METHODS, AuthFlowType.USER_AUTH, ChallengeNameType.SMS_OTP)
    stage.user(**ANN)
    asked = begin(stage) << challenge("SMS_OTP", CODE_DELIVERY_DESTINATION="+*******9934")
    asked >> respond("SMS_OTP", SMS_OTP_CODE=stage.sent[-1].code) << tokens()
    assert stage.find().attributes["phone_number_verified"] == "true"


@pytest.mark.parametrize("who", ["nobody", "disabled", "without an address", "with a temporary password"])
def test_users_who_cannot_are_not_told_apart(stage: Stage, who: str):
    """No mail is sent, the answer looks the same and is so long, wrong codes are refused alike and lock alike."""
    stage.user(**ANN)
    if who == "disabled":
        stage.user("bob", enabled=False, **ANN | {"email": "bob@example.org"})
    elif who == "without an address":
        stage.user("bob")
    elif who == "with a temporary password":
        stage.user("bob", status=UserStatusType.FORCE_CHANGE_PASSWORD, **ANN | {"email": "bob@example.org"})
    seen = []
    for name in ("ann", "bob"):
        asked = begin(stage, name)
        seen.append((asked.answer.challenge_name, len(asked.answer.session), sorted(asked.answer.challenge_parameters)))
        session = asked.answer.session
        for _ in range(5):
            play(stage, name) >> respond("EMAIL_OTP", session=session, EMAIL_OTP_CODE="12345678") << WRONG
        play(stage, name) >> respond("EMAIL_OTP", session=session, EMAIL_OTP_CODE="12345678") << LOCKED
        begin(stage, name) << LOCKED
    assert seen[0] == seen[1]
    assert [message.username for message in stage.sent] == ["ann"]


def test_a_made_up_address_follows_the_name(stage: Stage):
    """It stays the same, and is the name itself where that is one."""
    first, again, named = (begin(stage, name).answer.challenge_parameters for name in ("bob", "bob", "bob@x.org"))
    assert first == again
    assert named["CODE_DELIVERY_DESTINATION"] == "b***@x***"


def test_codes_do_not_lock_what_needs_the_password(stage: Stage):
    """Strangers who guess codes lock neither the password nor codes of second factors, and a right code forgives."""
    stage.user(**ANN)
    asked = begin(stage)
    code, session = stage.sent[-1].code, asked.answer.session
    for _ in range(5):
        play(stage) >> respond("EMAIL_OTP", session=session, EMAIL_OTP_CODE="12345678") << WRONG
    play(stage) >> initiate("USER_PASSWORD_AUTH", PASSWORD="Correct-Horse-1") << tokens()
    stage.clock.advance(1)
    play(stage) >> respond("EMAIL_OTP", session=session, EMAIL_OTP_CODE=code) << tokens()


def answered(stage: Stage, name: str):
    """A sign-in that the right code has just ended, and nothing written of it yet; its session."""
    session, code = begin(stage).answer.session, stage.sent[-1].code
    challenge_name = ChallengeNameType(name)
    reply = sign_in.Reply(
        challenge=challenge_name, session=session, responses={"USERNAME": "ann", f"{name}_CODE": code}
    )
    return stage.run(sign_in.answer(stage.public, stage.pool, stage.client, reply)), session


def test_a_right_code_does_not_pass_a_lock_that_came_meanwhile(stage: Stage):
    """Of many guesses at once, one that is right after the fifth wrong one lets nobody in."""
    stage.user(**ANN)
    signed_in, session = answered(stage, "EMAIL_OTP")
    for _ in range(5):
        play(stage) >> respond("EMAIL_OTP", session=session, EMAIL_OTP_CODE="12345678") << WRONG
    with pytest.raises(NotAuthorizedException, match="Password attempts exceeded"):
        stage.run(finish_with_tokens(stage.public, signed_in))


def test_a_right_code_verifies_no_number_that_came_meanwhile(stage: Stage, monkeypatch):
    """What the code went to is verified, or nothing, where the number changes as it is given."""
    monkeypatch.setitem(METHODS, AuthFlowType.USER_AUTH, ChallengeNameType.SMS_OTP)
    stage.user(**ANN)
    signed_in, _ = answered(stage, "SMS_OTP")
    stage.change(attributes=ANN | {"phone_number": "+15551230000"})
    with pytest.raises(NotAuthorizedException, match="Invalid session for the user"):
        stage.run(finish_with_tokens(stage.public, signed_in))
    assert "phone_number_verified" not in stage.find().attributes
