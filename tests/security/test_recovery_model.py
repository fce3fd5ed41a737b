"""Rows 10 and 11: no path leads to a new password but by the code, the old password or an administrator."""

import itertools
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.login.pages import Page, Visitor
from tests.operations.talk import sign_in

START = "Correct-Horse-1"
_numbers = itertools.count(1)
PAGES = ("/login", "/signup", "/confirm", "/resendcode", "/forgotPassword", "/confirmforgotPassword", "/changePassword")
# Values that a broken client, or a clever one, may send for a field.
VALUES = st.sampled_from(["", " ", "0", "000000", "123456", "null", "true", "\0", "[]", "{}", "%", "é", "9" * 300])
FIELDS = ("username", "code", "password", "confirm_password", "_csrf", "csrf", "cognitoAsfData", "session", "state")
HEADERS = st.sampled_from(
    [
        {},
        {"x-forwarded-for": "nonsense, 1.2.3.4"},
        {"x-forwarded-for": "127.0.0.1"},
        {"content-type": "application/json"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": ""},
        {"accept": "application/json"},
        {"sec-fetch-site": "cross-site"},
        {"authorization": "Bearer x"},
        {"x-http-method-override": "PUT"},
        {"cookie": ""},
        {"cookie": "XSRF-TOKEN=; page-data=; cognito="},
        {"cookie": 'page-data="AQAAAA=="; XSRF-TOKEN=11111111-1111-4111-8111-111111111111'},
    ]
)


class Recovery(RuleBasedStateMachine):
    """A stranger and a user at the same pool: only proof changes the password, and the model knows who had proof."""

    world: Any = None

    @initialize()
    def begin(self) -> None:
        call, pages, user, self.inbox = self.world
        self.call, self.pages = call, pages
        self.name, self.email = f"u{next(_numbers)}", f"u{next(_numbers)}@model.example"
        user(pages.pool_id, self.name, password=START, email=self.email, email_verified="true")
        self.password = START
        self.stranger = Visitor(pages.base)
        self.page: Page | None = None
        self.code: str | None = None
        self.attempts = 0

    def teardown(self) -> None:
        if hasattr(self, "stranger"):
            self.stranger.close()

    # What a stranger can do: everything short of reading the user's mail.

    @rule(path=st.sampled_from(PAGES))
    def open(self, path: str) -> None:
        self.page = self.stranger.open(path + self.pages.query())

    @rule(values=st.dictionaries(st.sampled_from(FIELDS), VALUES), named=st.booleans())
    def send_form(self, values: dict[str, str], named: bool) -> None:
        """Fill in whatever form is shown, with the user's name or without."""
        if self.page is None or not self.page.forms:
            return
        given: dict[str, str] = values | ({"username": self.name} if named else {})
        given.pop("_csrf", None)
        self._look(self.stranger.send(self.page, **given))

    @rule(path=st.sampled_from(PAGES), values=st.dictionaries(st.sampled_from(FIELDS), VALUES), headers=HEADERS)
    def post(self, path: str, values: dict[str, str], headers: dict[str, str]) -> None:
        """Post anything anywhere, with what the browser keeps or without, in a wrong order and malformed."""
        token = self.stranger.http.cookies.get("XSRF-TOKEN", "")
        data = {
            "username": self.name,
            "_csrf": token,
            "password": "Stolen-Horse-1",
            "confirm_password": "Stolen-Horse-1",
        }
        url = self.pages.base + path + self.pages.query()
        self._look(Page(self.stranger.http.post(url, data=data | values, headers=headers)))

    @rule(
        path=st.sampled_from(PAGES),
        body=st.sampled_from([b"", b"&", b"=", b"%", b"%ff=%ff", b"\xff", b"a" * 5000, b"[]"]),
    )
    def post_rubbish(self, path: str, body: bytes) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        url = self.pages.base + path + self.pages.query()
        self._look(Page(self.stranger.http.post(url, content=body, headers=headers)))

    @rule(
        name=st.sampled_from(["XSRF-TOKEN", "page-data", "cognito", "lang"]), value=st.sampled_from(["", "x", "AAAA"])
    )
    def spoil_cookie(self, name: str, value: str) -> None:
        """Lose a cookie, or replace it."""
        cookies = [cookie for cookie in self.stranger.http.cookies.jar if cookie.name == name]
        for cookie in cookies:
            self.stranger.http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
            if value:
                self.stranger.http.cookies.set(name, value, domain=cookie.domain, path=cookie.path)

    @rule(code=VALUES)
    def guess_by_api(self, code: str) -> None:
        request = {"ConfirmationCode": code, "Password": "Stolen-Horse-1", "Username": self.name}
        self._refused("ConfirmForgotPassword", **request)
        self._refused("ConfirmSignUp", Username=self.name, ConfirmationCode=code)

    @rule(session=VALUES, name=st.sampled_from(["NEW_PASSWORD_REQUIRED", "PASSWORD_VERIFIER", "PASSWORD"]))
    def answer_challenges(self, session: str, name: str) -> None:
        responses = {"USERNAME": self.name, "NEW_PASSWORD": "Stolen-Horse-1", "PASSWORD": "Stolen-Horse-1"}
        responses |= {"PASSWORD_CLAIM_SECRET_BLOCK": session, "PASSWORD_CLAIM_SIGNATURE": "AAAA", "TIMESTAMP": "x"}
        self._refused(
            "RespondToAuthChallenge",
            ChallengeName=name,
            Session=(session + "x" * 20)[:400],
            ChallengeResponses=responses,
        )

    @rule()
    def forgot_by_api(self) -> None:
        """Have a code sent to the user, whom it reaches, and nobody else."""
        self._try("ForgotPassword", Username=self.name)
        sent = [message for message in self.inbox(self.email) if message.template.startswith("ForgotPassword")]
        self.code = sent[-1].code if sent else None

    # What the user can do, who reads that mail.

    @rule()
    def recover(self) -> None:
        """Set a new password with the code."""
        if self.code is None:
            return
        fresh = f"Fresh-Horse-{next(_numbers)}"
        if self._try("ConfirmForgotPassword", Username=self.name, ConfirmationCode=self.code, Password=fresh):
            self.password, self.code = fresh, None

    @rule()
    def change(self) -> None:
        """Set a new password with the old one."""
        token = self._token()
        if token is None:
            return
        fresh = f"Fresh-Horse-{next(_numbers)}"
        try:
            self.call("ChangePassword", AccessToken=token, PreviousPassword=self.password, ProposedPassword=fresh)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "LimitExceededException"
        else:
            self.password = fresh

    @rule()
    def reset_by_admin(self) -> None:
        """An administrator sets the password."""
        fresh = f"Admin-Horse-{next(_numbers)}"
        self.call(
            "AdminSetUserPassword", UserPoolId=self.pages.pool_id, Username=self.name, Password=fresh, Permanent=True
        )
        self.password = fresh

    # What must hold all along.

    @invariant()
    def only_the_known_password_signs_in(self) -> None:
        if not hasattr(self, "password"):
            return
        stored = self.call("AdminGetUser", UserPoolId=self.pages.pool_id, Username=self.name)
        assert stored["UserStatus"] == "CONFIRMED"
        assert is_password(self.pages, self.name, self.password)

    def _token(self) -> str | None:
        try:
            return sign_in(self.call, {"ClientId": self.pages.client_id}, self.name, self.password)["AccessToken"]
        except ClientError as error:
            # A stranger's guesses may have locked the user out for a while.
            assert "exceeded" in error.response["Error"]["Message"]
            return None

    def _look(self, page: Page) -> None:
        assert page.status < 500, page.html
        assert "code=" not in page.location
        assert "cognito" not in {
            cookie.name for cookie in self.stranger.http.cookies.jar if cookie.value not in {"", "x", "AAAA"}
        }
        self.page = page if page.forms else self.page

    def _try(self, operation: str, **members: Any) -> bool:
        try:
            self.call(operation, ClientId=self.pages.client_id, **members)
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
            return False
        return True

    def _refused(self, operation: str, **members: Any) -> None:
        try:
            done = self._try(operation, **members)
        except Exception as error:  # botocore refuses some values itself
            assert "Parameter validation failed" in str(error)
            return
        assert not done, operation


def is_password(pages, name: str, password: str) -> bool:
    """Whether a password is the stored one, asked past locks and limits."""
    user = pages.server.read(lambda tx: tx.users.find_by_username(pages.pool_id, name))
    return pages.server.run(pages.server.deps.passwords.verify(user.credentials.password_hash, password))


@pytest.mark.timeout(300)
def test_10_no_password_without_proof(call, front, user, inbox):
    """Row 10: whatever a stranger does, in whatever order, the password is the last one that was set with proof."""
    pages = front(
        AutoVerifiedAttributes=["email"],
        client={
            "PreventUserExistenceErrors": "ENABLED",
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        },
    )
    Recovery.world = (call, pages, user, inbox)
    limits = settings(
        max_examples=25, stateful_step_count=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Recovery, settings=limits)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("cookies", ["none", "token only", "all"])
def test_11_every_step_denies_when_something_is_missing(front, visitor, user, http, path: str, cookies: str):
    """Row 11: a form that is empty, cut, of another type or out of its order is denied, at each step of each page."""
    pages = front(AutoVerifiedAttributes=["email"])
    user(pages.pool_id, "ann", password=START, email="ann11@example.com", email_verified="true")
    browser = visitor(pages)
    browser.open(path + pages.query())
    token = browser.http.cookies.get("XSRF-TOKEN", "11111111-1111-4111-8111-111111111111")
    sender, kept = (browser.http, {}) if cookies == "all" else (http, {})
    if cookies == "token only":
        kept = {"cookie": f"XSRF-TOKEN={token}"}
    stolen = {"password": "Stolen-Horse-1", "confirm_password": "Stolen-Horse-1"}
    form = {"_csrf": token, "username": "ann", "code": "1"} | stolen
    bodies: list[bytes] = [b"", urlencode(form).encode(), urlencode({"_csrf": token}).encode(), b"%00=%00", b"\xff\xfe"]
    bodies += [urlencode({**form, name: ""}).encode() for name in form]
    bodies += [urlencode([*form.items(), (name, "other")]).encode() for name in form]
    for body, kind in itertools.product(bodies, TYPES):
        headers = {"content-type": kind, "x-forwarded-for": "not an address"} | kept
        answer = sender.post(pages.base + path + pages.query(), content=body, headers=headers)
        assert answer.status_code < 500, (body, kind)
        assert "code=" not in answer.headers.get("location", "")
        assert not any(cookie.startswith('cognito="A') for cookie in answer.headers.get_list("set-cookie"))
    assert is_password(pages, "ann", START)


TYPES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "")
