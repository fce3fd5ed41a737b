"""Row 28: with PreventUserExistenceErrors neither what is answered nor how long it takes tells whether a user exists.

``soak/test_timing.py`` asks more often and compares more closely.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.conftest import PASSWORD, Server, make_settings
from tests.delivery.test_smtp import serving
from tests.security.enumeration import Inquirer, Question, difference, srp_parameters, times

# A hash that costs about as much as the rest of a request twice over; a mail server that takes its time.
HASHING = {"argon2_memory_kib": 8192, "argon2_time": 2}
KNOWN, UNKNOWN, WAITING = "knower28@example.com", "kobody28@example.com", "kaiter28@example.com"
CLIENT = {
    "PreventUserExistenceErrors": "ENABLED",
    "ExplicitAuthFlows": [
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_USER_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    ],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid"],
    "CallbackURLs": ["https://app.example/cb"],
    "SupportedIdentityProviders": ["COGNITO"],
}
QUESTIONS = (
    "InitiateAuth USER_PASSWORD_AUTH", "InitiateAuth USER_SRP_AUTH", "InitiateAuth USER_AUTH", "InitiateAuth EMAIL_OTP",
    "PASSWORD_VERIFIER", "EMAIL_OTP", "ForgotPassword", "ConfirmForgotPassword", "hosted page", "hosted recovery",
)  # fmt: skip
# These vary by a millisecond at most.
ON_THE_BEAT = {
    "InitiateAuth EMAIL_OTP", "PASSWORD_VERIFIER", "EMAIL_OTP", "ForgotPassword", "ConfirmForgotPassword",
    "hosted recovery",
}  # fmt: skip


@dataclass
class Pages:
    """A domain whose pages are asked."""

    base: str
    pool_id: str
    client_id: str

    def query(self) -> str:
        return f"?client_id={self.client_id}&response_type=code&redirect_uri=https://app.example/cb&scope=openid"


def inquirer_at(server: Server) -> Inquirer:
    """An inquirer in front of a pool with one user, and one who waits for a confirmation."""
    cognito = server.boto()
    pool_id = cognito.create_user_pool(
        PoolName="timing",
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    )["UserPool"]["Id"]
    made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="timing", **CLIENT)["UserPoolClient"]
    user = {"UserPoolId": pool_id, "Username": KNOWN}
    verified = [{"Name": "email_verified", "Value": "true"}, {"Name": "email", "Value": KNOWN}]
    cognito.admin_create_user(**user, MessageAction="SUPPRESS", UserAttributes=verified)
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    cognito.sign_up(ClientId=made["ClientId"], Username=WAITING, Password=PASSWORD)
    cognito.create_user_pool_domain(UserPoolId=pool_id, Domain="timing")
    pages = Pages(f"{server.url}/auth/timing", pool_id, made["ClientId"])
    return Inquirer(server, pages, srp_parameters(pages))


@pytest.fixture(scope="module")
def inquirer(rsa_keys, tmp_path_factory) -> Iterator[Inquirer]:
    """An inquirer at a server with real costs."""
    directory = tmp_path_factory.mktemp("timing")
    with serving() as (_, port):
        smtp = {"smtp_url": f"smtp://127.0.0.1:{port}"}
        server = Server(make_settings(f"sqlite:///{directory}/poolhouse.db", directory, **HASHING, **smtp))
        server.start()
        asking = inquirer_at(server)
        yield asking
        asking.close()
        server.stop()


def find_question(inquirer: Inquirer, name: str) -> Question:
    return next(question for question in inquirer.questions() if question.name == name)


def check_times(inquirer: Inquirer, question: Question, known: str, *, rounds: int, tolerance: float) -> None:
    """Check that both names take the same time. A busy machine may spoil a series; it does so at random."""
    found: list[float] = []
    for _ in range(4):
        found.append(difference(*times(inquirer.server, question, known, UNKNOWN, rounds)))
        if found[-1] <= tolerance:
            return
    pytest.fail(f"{question.name}: known and unknown users differ by {[f'{share:.0%}' for share in found]}")


@pytest.mark.parametrize("name", QUESTIONS)
def test_28_time(inquirer: Inquirer, name: str):
    """Row 28: an answer about a user takes as long as one about nobody."""
    rounds = 12 if name in ON_THE_BEAT else 24
    check_times(inquirer, find_question(inquirer, name), KNOWN, rounds=rounds, tolerance=0.25)


def test_28_time_of_unconfirmed_users(inquirer: Inquirer):
    """Row 28: asking for a code again takes as long for a user who waits for one as for nobody."""
    check_times(inquirer, inquirer.unconfirmed(), WAITING, rounds=12, tolerance=0.25)


# What an answer says of itself, and of the name that was asked about.
VARYING = {"date", "x-amzn-requestid", "x-amz-cognito-request-id"}
NAMED = [
    (re.compile(r'"(SALT|SRP_B|SECRET_BLOCK|Session|USERNAME|USER_ID_FOR_SRP)":"([^"]*)"'), r'"\1"'),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"(page-data=)[^;]*"), r"\1"),
]


def seen(answer: httpx.Response, name: str) -> Any:
    """An answer without what differs from one to the next by itself."""
    text = answer.text.replace(name, "NAME")
    # Numbers of SRP begin with a zero, and are shorter, by chance.
    varying = VARYING | ({"content-length"} if "SRP_B" in text else set())
    headers = sorted((key, value) for key, value in answer.headers.multi_items() if key not in varying)
    for pattern, plain in NAMED:
        text = pattern.sub(plain, text)
        headers = [(key, pattern.sub(plain, value)) for key, value in headers]
    return answer.status_code, headers, text


@pytest.fixture(scope="module")
def nobody(inquirer: Inquirer) -> str:
    """Nobody's name that seems to have what the user has: what nobody can choose varies by name, as what users have."""
    choice = find_question(inquirer, "InitiateAuth USER_AUTH")
    inquirer.server.clock.advance(3601)
    wanted = seen(choice.ask(KNOWN), KNOWN)
    names = (f"kobody{number}@example.com" for number in range(10, 100))
    return next(name for name in names if seen(choice.ask(name), name) == wanted)


@pytest.mark.parametrize("name", QUESTIONS)
def test_28_the_same_answer(inquirer: Inquirer, nobody: str, name: str):
    """Row 28: status, headers and body about a user are those about nobody, from the first try to the lock-out."""
    question = find_question(inquirer, name)
    inquirer.server.clock.advance(3601)
    for number in range(12):
        told = [seen(question.ask(asked), asked) for asked in (KNOWN, nobody)]
        assert told[0] == told[1], (name, number)


def test_28_the_same_answer_about_codes(inquirer: Inquirer):
    """Row 28: so is the answer to a code, once one was asked for, and to asking for it again."""
    forgot = find_question(inquirer, "ForgotPassword")
    confirm = find_question(inquirer, "ConfirmForgotPassword")
    inquirer.server.clock.advance(3601)
    for question in (confirm, forgot, confirm, forgot, confirm):
        told = [seen(question.ask(asked), asked) for asked in (KNOWN, UNKNOWN)]
        assert told[0] == told[1], question.name
    inquirer.server.clock.advance(3601)
    told = [seen(confirm.ask(asked), asked) for asked in (KNOWN, UNKNOWN)]
    assert told[0] == told[1]
    again = inquirer.unconfirmed()
    for _ in range(6):
        told = [seen(again.ask(asked), asked) for asked in (WAITING, UNKNOWN)]
        assert told[0] == told[1]


def test_28_a_dead_mail_server_tells_nothing(rsa_keys, tmp_path):
    """Row 28: where no mail can be sent, nobody learns by that who would have got one."""
    from tests.conftest import free_port

    settings = make_settings(f"sqlite:///{tmp_path}/poolhouse.db", tmp_path, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    server = Server(settings)
    server.start()
    try:
        asking = _without_sign_up(server)
        forgot = find_question(asking, "ForgotPassword")
        told = [seen(forgot.ask(asked), asked) for asked in (KNOWN, UNKNOWN)]
        assert told[0] == told[1]
        assert told[0][0] == 200
        asking.close()
    finally:
        server.stop()


def _without_sign_up(server: Server) -> Inquirer:
    cognito = server.boto()
    pool_id = cognito.create_user_pool(PoolName="dead", UsernameAttributes=["email"])["UserPool"]["Id"]
    made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="dead", **CLIENT)["UserPoolClient"]
    user = {"UserPoolId": pool_id, "Username": KNOWN}
    verified = [{"Name": "email_verified", "Value": "true"}, {"Name": "email", "Value": KNOWN}]
    cognito.admin_create_user(**user, MessageAction="SUPPRESS", UserAttributes=verified)
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    pages = Pages(server.url, pool_id, made["ClientId"])
    return Inquirer(server, pages, srp_parameters(pages))
