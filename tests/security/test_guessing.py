"""Rows 23 to 25: guesses are counted whichever way they come, and nobody can have the count forgotten."""

import contextlib
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import PASSWORD
from tests.oauth.conftest import OAUTH_CLIENT
from tests.operations.talk import EXPIRED, LIMIT, MISMATCH, other, refusal

WRONG = "Wrong-Horse-1"
INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
LOCKED = ("NotAuthorizedException", "Password attempts exceeded")
FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH",
]  # fmt: skip


class Doors:
    """Every way to try a password for one user."""

    def __init__(self, call, pages, visitor, srp_start, clients: list[str]) -> None:
        self.call, self.pages, self.srp_start = call, pages, srp_start
        self._browser = visitor(pages)
        self._clients = itertools.cycle(clients)

    def ways(self) -> dict[str, Callable[[str, str], tuple[str, str] | None]]:
        """Each way takes a name and a password; it returns the refusal, None where it let one in."""
        return {
            "USER_PASSWORD_AUTH": self.password,
            "ADMIN_USER_PASSWORD_AUTH": self.admin,
            "USER_SRP_AUTH": self.srp,
            "hosted page": self.page,
        }

    def password(self, name: str, password: str) -> tuple[str, str] | None:
        return self._refusal(
            "InitiateAuth",
            ClientId=next(self._clients),
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )

    def admin(self, name: str, password: str) -> tuple[str, str] | None:
        return self._refusal(
            "AdminInitiateAuth",
            UserPoolId=self.pages.pool_id,
            ClientId=next(self._clients),
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )

    def srp(self, name: str, password: str) -> tuple[str, str] | None:
        client = next(self._clients)
        side, parameters = self.srp_start(self.pages.pool_id, client, name, password)
        side.username = parameters["USER_ID_FOR_SRP"]
        responses = side.process_challenge(parameters, {"USERNAME": parameters["USER_ID_FOR_SRP"]})
        return self._refusal(
            "RespondToAuthChallenge", ClientId=client, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=responses
        )

    def page(self, name: str, password: str) -> tuple[str, str] | None:
        self._browser.http.cookies.clear()
        page = self._browser.open("/login" + self.pages.query())
        done = self._browser.send(page, username=name, password=password)
        return None if done.status == 302 else ("NotAuthorizedException", done.error or "")

    def _refusal(self, operation: str, **members: Any) -> tuple[str, str] | None:
        try:
            self.call(operation, **members)
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["Error"]["Message"]
        return None


@pytest.fixture
def doors(call, front, visitor, srp_start, app, user) -> Doors:
    """A user of a pool that ignores case, with an alias, and two clients."""
    pages = front(
        AliasAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        client={"ExplicitAuthFlows": FLOWS, "PreventUserExistenceErrors": "ENABLED"},
    )
    user(pages.pool_id, "ann", email="ann25@example.com", email_verified="true")
    second = app(pages.pool_id, ExplicitAuthFlows=FLOWS, PreventUserExistenceErrors="ENABLED")["ClientId"]
    return Doors(call, pages, visitor, srp_start, [pages.client_id, second])


NAMES = ("ann", "ANN", "Ann", "ann25@example.com", "ANN25@Example.COM")


@pytest.mark.usefixtures("still_clock")
def test_25_one_counter_for_all_doors(doors: Doors):
    """Row 25: five wrong passwords, each by another door, spelling and client, lock every door, the right one too."""
    ways = list(doors.ways().values())
    for number in range(5):
        name = NAMES[number]
        assert ways[number % 4](name, WRONG) == INCORRECT, number
    for way, name in itertools.product(ways, NAMES[:4:3]):
        if way == doors.srp and "@" in name:
            continue
        assert way(name, PASSWORD) == LOCKED


@pytest.mark.parametrize("name", ["ann", "nobody", "nobody25@example.com"])
@pytest.mark.usefixtures("still_clock")
def test_25_the_lock_grows(doors: Doors, server, name: str):
    """Row 25: each further failure doubles the lock, for users and for names that are nobody's alike (03 §13)."""
    for _ in range(5):
        assert doors.password(name, WRONG) == INCORRECT
    for seconds in (1, 2, 4, 8):
        assert doors.password(name, WRONG) == LOCKED
        server.clock.advance(seconds + 0.01)
        assert doors.password(name, WRONG) == INCORRECT
    assert doors.password(name, PASSWORD) == LOCKED


@pytest.mark.usefixtures("still_clock")
def test_25_nothing_unauthenticated_forgives(doors: Doors, call, server):
    """Row 25: no call that a stranger can make shortens a lock."""
    client = doors.pages.client_id
    for _ in range(5):
        assert doors.password("ann", WRONG) == INCORRECT
    for operation, members in (
        ("ForgotPassword", {"Username": "ann"}),
        ("ConfirmForgotPassword", {"Username": "ann", "ConfirmationCode": "000000", "Password": "Battery-Staple-2"}),
        ("ResendConfirmationCode", {"Username": "ann"}),
        ("ConfirmSignUp", {"Username": "ann", "ConfirmationCode": "000000"}),
        ("SignUp", {"Username": "ann", "Password": PASSWORD}),
        ("InitiateAuth", {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": "x"}}),
        ("RevokeToken", {"Token": "x"}),
    ):
        with contextlib.suppress(ClientError):
            call(operation, ClientId=client, **members)
    assert doors.password("ann", PASSWORD) == LOCKED


@pytest.mark.usefixtures("still_clock")
def test_25_starting_srp_forgives_nothing(doors: Doors):
    """Row 25: to begin a sign-in by SRP, and not end it, changes no count."""
    for _ in range(4):
        assert doors.password("ann", WRONG) == INCORRECT
    for _ in range(3):
        doors.srp_start(doors.pages.pool_id, doors.pages.client_id, "ann")
    assert doors.password("ann", WRONG) == INCORRECT
    assert doors.password("ann", PASSWORD) == LOCKED


@pytest.mark.usefixtures("still_clock")
def test_25_one_block_for_many_guesses(doors: Doors, call):
    """Row 25: guesses at one and the same SRP challenge count like any others."""
    client = doors.pages.client_id
    side, parameters = doors.srp_start(doors.pages.pool_id, client, "ann", WRONG)
    responses = side.process_challenge(parameters, {"USERNAME": "ann"})
    request = {"ClientId": client, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses}
    for _ in range(5):
        assert refusal(call, "RespondToAuthChallenge", **request) == INCORRECT
    assert refusal(call, "RespondToAuthChallenge", **request) == LOCKED


def test_25_many_guesses_at_once(doors: Doors, server):
    """Row 25: of forty guesses at once no more than five are counted wrong before all others meet the lock."""
    told: list[tuple[str, str] | None] = []
    client = server.boto(config={"max_pool_connections": 40})

    def guess(password: str) -> None:
        try:
            client.initiate_auth(
                ClientId=doors.pages.client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": "ann", "PASSWORD": password},
            )
        except ClientError as error:
            told.append((error.response["Error"]["Code"], error.response["Error"]["Message"]))

    threads = [threading.Thread(target=guess, args=(f"Wrong-Horse-{number}",)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 40
    assert told.count(INCORRECT) <= 6  # a lock of one second may run out on a slow machine
    assert told.count(INCORRECT) + told.count(LOCKED) == 40


# Row 24: codes.


def test_24_guessing_a_recovery_code(doors: Doors, call, inbox):
    """Row 24: of all guesses at a recovery code, by all names, clients and surfaces, a handful is looked at."""
    call("ForgotPassword", ClientId=doors.pages.client_id, Username="ann")
    code = inbox("ann25@example.com")[-1].code
    told = [
        refusal(
            call,
            "ConfirmForgotPassword",
            ClientId=next(doors._clients),
            Username=NAMES[number % len(NAMES)],
            ConfirmationCode=other(code),
            Password="Battery-Staple-2",
        )
        for number in range(12)
    ]
    assert told[:9] == [MISMATCH] * 9
    assert told[9:] == [LIMIT] * 3
    request = {"ClientId": doors.pages.client_id, "Username": "ann"}
    right = {"ConfirmationCode": code, "Password": "Battery-Staple-2"}
    assert refusal(call, "ConfirmForgotPassword", **request, **right) == LIMIT
    assert refusal(call, "ForgotPassword", **request) == LIMIT


def test_24_a_new_code_brings_no_new_guesses(doors: Doors, call, inbox):
    """Row 24: asking for another code does not reset the count of guesses."""
    looked_at = 0
    for _ in range(12):
        for operation, more in (
            ("ForgotPassword", {}),
            ("ConfirmForgotPassword", {"ConfirmationCode": "000000", "Password": "Battery-Staple-2"}),
        ):
            try:
                call(operation, ClientId=doors.pages.client_id, Username="ann", **more)
            except ClientError as error:
                looked_at += (error.response["Error"]["Code"], error.response["Error"]["Message"]) == MISMATCH
    assert looked_at <= 10


def test_24_guessing_a_sign_up_code(doors: Doors, call, inbox):
    """Row 24: guesses at a sign-up code are bounded, and asking for it again does not bring more."""
    client = doors.pages.client_id
    attributes = [{"Name": "email", "Value": "bob24@example.com"}]
    call("SignUp", ClientId=client, Username="bob", Password=PASSWORD, UserAttributes=attributes)
    looked_at = 0
    for number in range(30):
        told = refusal(
            call, "ConfirmSignUp", ClientId=client, Username=("bob", "BOB")[number % 2], ConfirmationCode="x00000"
        )
        looked_at += told == MISMATCH
        if number % 10 == 9 and number < 20:
            call("ResendConfirmationCode", ClientId=client, Username="bob")
    assert looked_at <= 15
    code = inbox("bob24@example.com")[-1].code
    assert refusal(call, "ConfirmSignUp", ClientId=client, Username="bob", ConfirmationCode=code) == LIMIT


def test_24_a_code_counts_once(doors: Doors, call, inbox):
    """Row 24: a right code is used up by its first use."""
    call("ForgotPassword", ClientId=doors.pages.client_id, Username="ann")
    request = {
        "ClientId": doors.pages.client_id,
        "Username": "ann",
        "ConfirmationCode": inbox("ann25@example.com")[-1].code,
        "Password": "Battery-Staple-2",
    }
    call("ConfirmForgotPassword", **request)
    assert refusal(call, "ConfirmForgotPassword", **request) == EXPIRED


def test_24_a_code_counts_once_at_the_same_moment(doors: Doors, call, inbox, server):
    """Row 24: of many uses of one right code at the same moment, one sets the password."""
    call("ForgotPassword", ClientId=doors.pages.client_id, Username="ann")
    code = inbox("ann25@example.com")[-1].code
    client = server.boto(config={"max_pool_connections": 8})
    done: list[str] = []

    def use(password: str) -> None:
        try:
            client.confirm_forgot_password(
                ClientId=doors.pages.client_id, Username="ann", ConfirmationCode=code, Password=password
            )
            done.append(password)
        except ClientError:
            pass

    threads = [threading.Thread(target=use, args=(f"Battery-Staple-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert doors.password("ann", done[0]) is None


def test_26_codes_are_never_answered(doors: Doors, call, inbox, raw, visitor):
    """Row 26: whoever asks for a code gets it by mail, never in the answer."""
    client, pages = doors.pages.client_id, doors.pages
    bodies = [raw.post("ForgotPassword", {"ClientId": client, "Username": "ann"}).body]
    browser = visitor(pages)
    page = browser.send(browser.open("/forgotPassword" + pages.query()), username="ann")
    shown = browser.follow(page)
    bodies += [page.html.encode(), shown.html.encode(), str(page.response.headers).encode(), shown.location.encode()]
    attributes = [{"Name": "email", "Value": "carl26@example.com"}]
    request = {"ClientId": client, "Username": "carl", "Password": PASSWORD, "UserAttributes": attributes}
    bodies += [raw.post("SignUp", request).body]
    bodies += [raw.post("ResendConfirmationCode", {"ClientId": client, "Username": "carl"}).body]
    codes = [message.code for to in ("ann25@example.com", "carl26@example.com") for message in inbox(to)]
    assert len(codes) >= 4
    for code, body in itertools.product(codes, bodies):
        assert code.encode() not in body


def test_23_rotation_reuse_ends_the_family(call, site):
    """Row 23: a refresh token that was rotated away, used again, ends its whole family at both surfaces."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    flows = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"], "RefreshTokenRotation": rotation}
    client = site.app(**(OAUTH_CLIENT | flows))["ClientId"]
    first = site.tokens(client, scope="openid aws.cognito.signin.user.admin")
    second = call("GetTokensFromRefreshToken", ClientId=client, RefreshToken=first["refresh_token"])
    newest = second["AuthenticationResult"]["RefreshToken"]
    assert site.refresh(first["refresh_token"], client).json() == {"error": "invalid_grant"}
    assert site.refresh(newest, client).json() == {"error": "invalid_grant"}
    with pytest.raises(ClientError):
        call("GetUser", AccessToken=second["AuthenticationResult"]["AccessToken"])
