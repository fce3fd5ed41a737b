"""Signing in by SRP, with pycognito's client side."""

import base64
import re
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from pycognito.aws_srp import AWSSRP

from poolhouse.core import srp
from poolhouse.model import UserStatusType
from tests.flows.stage import (
    BETTER,
    GOOD,
    POOL_ID,
    Stage,
    admin_initiate,
    admin_respond,
    challenge,
    error,
    initiate,
    play,
    respond,
    tokens,
    wait,
)

WRONG = error("NotAuthorizedException", "Incorrect username or password.")
LOCKED = error("NotAuthorizedException", "Password attempts exceeded")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


def pycognito(password: str = GOOD, username: str = "ann") -> AWSSRP:
    return AWSSRP(username=username, password=password, pool_id=POOL_ID, client_id="client", client=object())


def begin(stage: Stage, client: AWSSRP, username: str = "ann"):
    """Say A; hear B and the salt."""
    play_ = play(stage, username) >> initiate("USER_SRP_AUTH", SRP_A=client.get_auth_params()["SRP_A"])
    return play_ << challenge("PASSWORD_VERIFIER")


def proof(client: AWSSRP, talk) -> dict[str, str]:
    """The client's answer to the challenge that was asked last."""
    return client.process_challenge(talk.answer.challenge_parameters, {"USERNAME": client.username})


@pytest.mark.parametrize("password", [GOOD, "Passw0rd!é", "Correct Horse 🐎 1"])
def test_a_right_password(stage: Stage, password: str):
    """The right password gives tokens, without a Session on the way."""
    stage.user(password=password)
    client = pycognito(password)
    talk = begin(stage, client)
    assert talk.answer.session is None
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << tokens()


def test_by_the_operations_of_administrators(stage: Stage):
    """AdminInitiateAuth and AdminRespondToAuthChallenge speak SRP as well."""
    stage.user()
    client = pycognito()
    talk = play(stage) >> admin_initiate("USER_SRP_AUTH", SRP_A=client.get_auth_params()["SRP_A"])
    talk >> admin_respond("PASSWORD_VERIFIER", **proof(client, talk)) << tokens()


def test_what_the_challenge_shows(stage: Stage):
    """The block has Cognito's length, the salt no leading zeros, both names are the stored one."""
    stage.set_pool(alias_attributes=["email"])
    stage.user(email="ann@example.com", email_verified="true")
    shown = begin(stage, pycognito(), "ann@example.com").answer.challenge_parameters
    assert set(shown) == {"SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"}
    assert (shown["USERNAME"], shown["USER_ID_FOR_SRP"]) == ("ann", "ann")
    assert len(shown["SECRET_BLOCK"]) == 1724
    assert re.fullmatch(r"[1-9a-f][0-9a-f]{30,31}", shown["SALT"])
    assert re.fullmatch(r"[1-9a-f][0-9a-f]{1,767}", shown["SRP_B"])


def test_a_wrong_password(stage: Stage):
    """Wrong proofs are refused, counted, and lock like wrong passwords."""
    stage.user()
    client = pycognito(BETTER)
    for _ in range(5):
        talk = begin(stage, client)
        talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << WRONG
    client = pycognito()
    talk = begin(stage, client)
    answer = respond("PASSWORD_VERIFIER", **proof(client, talk))
    talk >> answer << LOCKED >> wait(1) >> answer << tokens()


def test_a_block_counts_once(stage: Stage):
    """A proof that was accepted is not accepted again; a wrong one leaves the block usable."""
    stage.user()
    client = pycognito()
    talk = begin(stage, client)
    good = proof(client, talk)
    bad = good | {"PASSWORD_CLAIM_SIGNATURE": base64.b64encode(b"x" * 32).decode()}
    talk >> respond("PASSWORD_VERIFIER", **bad) << WRONG >> respond("PASSWORD_VERIFIER", **good) << tokens()
    (
        talk
        >> respond("PASSWORD_VERIFIER", **good)
        << error("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
    )


def test_a_block_is_bound_and_expires(stage: Stage):
    """A block of another user or client, or an altered or late one, is refused."""
    stage.user()
    stage.user("ben")
    client = pycognito()
    talk = begin(stage, client)
    good = proof(client, talk)
    answer = respond("PASSWORD_VERIFIER", **good)
    invalid = error("NotAuthorizedException", "Invalid session for the user.")
    altered = "AAAA" + good["PASSWORD_CLAIM_SECRET_BLOCK"][4:]
    talk >> respond("PASSWORD_VERIFIER", **good | {"PASSWORD_CLAIM_SECRET_BLOCK": altered}) << invalid
    talk >> respond("PASSWORD_VERIFIER", **good | {"PASSWORD_CLAIM_SECRET_BLOCK": "not base64"}) << invalid
    play(stage, "ben") >> respond("PASSWORD_VERIFIER", **good | {"USERNAME": "ben"}) << invalid
    stage.set_client("other")
    talk >> answer << invalid
    stage.set_client("client")
    talk >> wait(180) >> answer << error("NotAuthorizedException", "Invalid session for the user, session is expired.")


@pytest.mark.parametrize("name", ["PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP"])
def test_missing_answers(stage: Stage, name: str):
    """Each part of the proof is asked for by its name."""
    stage.user()
    client = pycognito()
    talk = begin(stage, client)
    given = {key: value for key, value in proof(client, talk).items() if key != name}
    missing = error("InvalidParameterException", f"Missing required parameter {name}")
    talk >> respond("PASSWORD_VERIFIER", **given) << missing


@pytest.mark.parametrize(
    ("timestamp", "known"),
    [
        ("Tue Feb 3 04:05:06 UTC 2026", True),
        ("Tue Feb 03 04:05:06 UTC 2026", True),
        ("2026-02-03T04:05:06Z", False),
        ("Tue Feb 3 04:05:06 UTC 2026 ", False),
        ("Tue Feb 3 25:05:06 UTC 2026", False),
        ("Die Feb 3 04:05:06 UTC 2026", False),
    ],
)
def test_timestamps(stage: Stage, timestamp: str, known: bool):
    """Only Cognito's own form of a timestamp is understood; the clock it shows does not matter."""
    stage.user()
    client = pycognito()
    talk = begin(stage, client)
    shown = talk.answer.challenge_parameters
    key = client.get_password_authentication_key("ann", GOOD, int(shown["SRP_B"], 16), shown["SALT"])
    signature = srp.sign(key, POOL_ID.partition("_")[2], "ann", base64.b64decode(shown["SECRET_BLOCK"]), timestamp)
    refused = error("InvalidParameterException", "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
    (
        talk
        >> respond(
            "PASSWORD_VERIFIER",
            PASSWORD_CLAIM_SIGNATURE=base64.b64encode(signature).decode(),
            PASSWORD_CLAIM_SECRET_BLOCK=shown["SECRET_BLOCK"],
            TIMESTAMP=timestamp,
        )
        << (tokens() if known else refused)
    )


@pytest.mark.parametrize("value", ["0", "zz", f"{srp.PRIME:x}", "-1", "0x1", "1" * 800])
def test_client_values_that_are_none(stage: Stage, value: str):
    """A client value that is zero modulo the prime, or no number, is refused (RFC 5054 §2.5.4)."""
    stage.user()
    play(stage) >> initiate("USER_SRP_AUTH", SRP_A=value) << error("InvalidParameterException", "Invalid SRP_A value")


def test_an_unknown_user_looks_like_a_known_one(stage: Stage):
    """A concealed user has the same salt and the same UUID each time, another B, and always a wrong password."""
    stage.set_client(prevent_user_existence_errors="ENABLED")
    client = pycognito(username="nobody")
    first, second = (begin(stage, client, "nobody").answer.challenge_parameters for _ in range(2))
    other = begin(stage, client, "somebody").answer.challenge_parameters
    assert first["SALT"] == second["SALT"] != other["SALT"]
    assert first["USERNAME"] == first["USER_ID_FOR_SRP"] == second["USERNAME"] != other["USERNAME"]
    assert UUID.fullmatch(first["USERNAME"])
    assert first["SRP_B"] != second["SRP_B"]
    for _ in range(5):
        talk = begin(stage, client, "nobody")
        talk.username = talk.answer.challenge_parameters["USERNAME"]
        talk >> respond("PASSWORD_VERIFIER", **proof(client, talk) | {"USERNAME": talk.username}) << WRONG
    talk = begin(stage, client, "nobody")
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << LOCKED
    play(stage, "nobody") >> initiate("USER_PASSWORD_AUTH", PASSWORD=GOOD) << LOCKED


def test_a_password_without_verifier(stage: Stage):
    """A password set while no client used SRP fails like a wrong one, until a sign-in in clear brings a verifier."""
    stage.set_client(explicit_auth_flows=["ALLOW_USER_PASSWORD_AUTH"])
    stage.user()
    play(stage) >> initiate("USER_PASSWORD_AUTH", PASSWORD=GOOD) << tokens()
    assert stage.find().credentials.srp_verifier is None
    stage.set_client()
    client = pycognito()
    talk = begin(stage, client)
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << WRONG
    play(stage) >> initiate("USER_PASSWORD_AUTH", PASSWORD=GOOD) << tokens()
    talk = begin(stage, client)
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << tokens()
    kept = stage.find().credentials
    play(stage) >> initiate("USER_PASSWORD_AUTH", PASSWORD=GOOD) << tokens()
    assert stage.find().credentials == kept


def test_a_verifier_that_no_client_needs_any_more(stage: Stage):
    """Where SRP is not allowed any more the next sign-in in clear takes the verifier away, and the password stays."""
    stage.user()
    made = stage.find().credentials
    assert made.srp_verifier is not None
    stage.set_client(explicit_auth_flows=["ALLOW_USER_PASSWORD_AUTH"])
    for _ in range(2):
        play(stage) >> initiate("USER_PASSWORD_AUTH", PASSWORD=GOOD) << tokens()
        assert stage.find().credentials == replace(made, srp_salt=None, srp_verifier=None)


@pytest.mark.parametrize("state", [{"enabled": False}, {"status": UserStatusType.RESET_REQUIRED}])
def test_states_are_concealed_until_the_end(stage: Stage, state: dict):
    """A concealing client hears of a disabled user what it hears of a wrong password, at the same step."""
    stage.user()
    stage.change(**state)
    stage.set_client(prevent_user_existence_errors="ENABLED")
    client = pycognito()
    talk = begin(stage, client)
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << WRONG


def test_states_are_told_where_nothing_is_concealed(stage: Stage):
    """Other clients hear the reason when the proof is due."""
    stage.user()
    stage.change(status=UserStatusType.RESET_REQUIRED)
    client = pycognito()
    talk = begin(stage, client)
    reset = error("PasswordResetRequiredException", "Password reset required for the user")
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << reset


def test_a_temporary_password(stage: Stage):
    """A temporary password proved by SRP leads to a new one."""
    stage.user(status=UserStatusType.FORCE_CHANGE_PASSWORD)
    client = pycognito()
    talk = begin(stage, client)
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << challenge("NEW_PASSWORD_REQUIRED")
    talk >> respond("NEW_PASSWORD_REQUIRED", NEW_PASSWORD=BETTER) << tokens()
    client = pycognito(BETTER)
    talk = begin(stage, client)
    talk >> respond("PASSWORD_VERIFIER", **proof(client, talk)) << tokens()
