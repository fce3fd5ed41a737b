"""Users who are imported with the hashes of their passwords (spec/api/08 §4)."""

import time

import argon2
import bcrypt
import pytest
from pycognito.aws_srp import AWSSRP
from werkzeug.security import generate_password_hash

from poolhouse.flows.challenges import password
from tests.csv_files import TEMPLATE, bring, counts, person
from tests.operations.talk import OTHER_PASSWORD, PASSWORD, shown, sign_in, sign_in_refusal

MAIL = {"AutoVerifiedAttributes": ["email"]}
HEADER = f"{TEMPLATE},cognito:password_hash"
WRONG = ("NotAuthorizedException", "Incorrect username or password.")
# The password of the first sign-in meets no policy: nobody asks a hash for that.
OLD = "old"
HASHES = {
    "BCRYPT": bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(4)).decode(),
    "SCRYPT": generate_password_hash(OLD, "scrypt:1024:8:1"),
    "ARGON2ID": argon2.PasswordHasher(time_cost=1, memory_cost=64).hash(OLD).replace(",", r"\,"),
    "PBKDF2_SHA256": generate_password_hash(OLD, "pbkdf2:sha256:10"),
}


@pytest.fixture(autouse=True)
def short_refusals(monkeypatch):
    """Refusals that take less than a second, but longer than all hashes here."""
    monkeypatch.setattr(password, "EVEN_SECONDS", 0.1)


def stored(server, pool_id, username):
    """The credentials of a user."""
    return server.read(lambda tx: tx.users.find_by_username(pool_id, username)).credentials


def bring_hashed(call, pool_id, algorithm, **hashes):
    """Import users with these hashes; give the job."""
    lines = [person(name, HEADER, cognito_password_hash=hash) for name, hash in hashes.items()]
    return bring(call, pool_id, "\n".join([HEADER, *lines]), PasswordHashingAlgorithm=algorithm)


@pytest.mark.parametrize("algorithm", HASHES)
def test_the_old_password_signs_in(call, server, pool, app, algorithm):
    """The user is confirmed and signs in with it; then the hash is our own, and SRP works too."""
    pool_id = pool(**MAIL)
    client = app(pool_id)

    job = bring_hashed(call, pool_id, algorithm, ann=HASHES[algorithm])

    assert counts(job) == ("Succeeded", 1, 0, 0)
    assert shown(call, pool_id, "ann")["UserStatus"] == "CONFIRMED"
    assert sign_in_refusal(call, client, "ann", PASSWORD) == WRONG
    imported = stored(server, pool_id, "ann")
    assert imported.password_hash == HASHES[algorithm].replace("\\", "")
    assert imported.srp_verifier is None
    assert sign_in(call, client, "ann", OLD)
    renewed = stored(server, pool_id, "ann")
    assert renewed.password_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert renewed.srp_verifier is not None
    assert renewed.password_set_at == imported.password_set_at
    assert sign_in(call, client, "ann", OLD)
    assert sign_in_refusal(call, client, "ann", PASSWORD) == WRONG


def test_srp_comes_with_the_first_password_in_clear(call, cognito, pool, app):
    """SRP fails until the user signed in once with the password itself (spec/api/04 §8)."""
    pool_id = pool(**MAIL)
    client = app(pool_id)
    bring_hashed(call, pool_id, "BCRYPT", ann=HASHES["BCRYPT"])

    def by_srp():
        return AWSSRP("ann", OLD, pool_id, client["ClientId"], client=cognito).authenticate_user()

    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        by_srp()
    sign_in(call, client, "ann", OLD)
    assert by_srp()["AuthenticationResult"]


def test_hashes_are_judged_row_by_row(call, pool, app):
    """A hash that is not one, or costs too much, fails its row; a row without one makes a user who must reset."""
    pool_id = pool(**MAIL)
    client = app(pool_id)
    dear = r"$scrypt$ln=30\,r=8\,p=1$aGVsbG8gd29ybGQhISEhIQ$aGVsbG8gd29ybGQhISEhIQ"

    job = bring_hashed(
        call, pool_id, "SCRYPT", ann=HASHES["SCRYPT"], bob="", cat=HASHES["BCRYPT"], dan=dear, eve="plain"
    )

    assert counts(job) == ("Succeeded", 2, 0, 3)
    assert shown(call, pool_id, "bob")["UserStatus"] == "RESET_REQUIRED"
    assert sign_in(call, client, "ann", OLD)


def test_refusals_take_equally_long(call, pool, app):
    """Whether there is such a user, and what the hash costs, does not show in the time of a refusal."""
    pool_id = pool(**MAIL)
    client = app(pool_id, PreventUserExistenceErrors="ENABLED")
    dear = bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(9)).decode()
    bring_hashed(call, pool_id, "BCRYPT", ann=dear, bob=HASHES["BCRYPT"])

    times = []
    for name in ("ann", "bob", "nobody"):
        began = time.perf_counter()
        assert sign_in_refusal(call, client, name) == WRONG
        times.append(time.perf_counter() - began)

    assert min(times) > 0.1


def test_the_old_password_counts_for_the_history(call, pool, app):
    """An imported password cannot be chosen again where the pool remembers passwords (spec/api/03 §7.7)."""
    pool_id = pool(**MAIL, Policies={"PasswordPolicy": {"MinimumLength": 6, "PasswordHistorySize": 2}})
    client = app(pool_id)
    bring_hashed(call, pool_id, "BCRYPT", ann=bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode())

    tokens = sign_in(call, client, "ann", PASSWORD)
    change = {"AccessToken": tokens["AccessToken"], "PreviousPassword": PASSWORD}

    with pytest.raises(Exception, match="Password has previously been used"):
        call("ChangePassword", ProposedPassword=PASSWORD, **change)
    call("ChangePassword", ProposedPassword=OTHER_PASSWORD, **change)


def test_a_file_with_hashes_needs_their_column(call, pool):
    """A job with an algorithm fails where the column is missing."""
    job = bring(call, pool(**MAIL), TEMPLATE, PasswordHashingAlgorithm="BCRYPT")

    assert counts(job) == ("Failed", 0, 0, 0)
