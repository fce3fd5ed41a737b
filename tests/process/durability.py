"""People who sign up, confirm, sign in, refresh and exchange codes until the server is killed, and what must be true then."""

import asyncio
import contextlib
import http.client
import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg

from poolhouse.core.user import User
from poolhouse.model import UserStatusType
from poolhouse.storage import open_store
from tests.conftest import PASSWORD
from tests.login.pages import Visitor
from tests.process.program import Caller, Program, Refused

CALLBACK = "https://app.example/cb"
DOMAIN = "durable"
ROTATION = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
# What has no owner may not be left behind.
ORPHANS = ("user_aliases", "user_search", "sessions", "confirmation_codes", "authorization_codes")
# What a killed server looks like from outside.
GONE = (OSError, http.client.HTTPException, ValueError)


@dataclass
class Person:
    """What the server acknowledged about one user. ``tokens`` are refresh tokens, each got for the one before."""

    name: str
    confirmed: bool = False
    tokens: list[str] = field(default_factory=list)
    unsure: bool = False
    """The server was killed while it worked on this user's tokens."""

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


@dataclass
class Journal:
    """What was acknowledged, and the codes that nobody has tried yet."""

    people: list[Person] = field(default_factory=list)
    redeemed: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    operations: int = 0
    faults: list[BaseException] = field(default_factory=list)


class Town:
    """A pool with two clients and a domain, made over the API of a running server."""

    def __init__(self, program: Program) -> None:
        self.program = program
        admin = program.boto()
        self.pool_id = admin.create_user_pool(
            PoolName="town", AliasAttributes=["email"], AutoVerifiedAttributes=["email"]
        )["UserPool"]["Id"]
        admin.create_user_pool_domain(UserPoolId=self.pool_id, Domain=DOMAIN)
        self.client_id = self._app(
            admin,
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
            RefreshTokenRotation=ROTATION,
        )
        self.web_id = self._app(
            admin,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid"],
            CallbackURLs=[CALLBACK],
            SupportedIdentityProviders=["COGNITO"],
        )
        admin.admin_create_user(UserPoolId=self.pool_id, Username="browser", MessageAction="SUPPRESS")
        admin.admin_set_user_password(UserPoolId=self.pool_id, Username="browser", Password=PASSWORD, Permanent=True)

    def _app(self, admin: Any, **settings: Any) -> str:
        made = admin.create_user_pool_client(UserPoolId=self.pool_id, ClientName="app", **settings)
        return made["UserPoolClient"]["ClientId"]

    def fetch_codes(self, count: int) -> list[str]:
        """Sign in on the login page once; then each visit gives a code."""
        asked = urlencode({"client_id": self.web_id, "response_type": "code", "redirect_uri": CALLBACK})
        with contextlib.closing(Visitor(f"{self.program.url}/auth/{DOMAIN}")) as visitor:
            visitor.send(visitor.open(f"/login?{asked}"), username="browser", password=PASSWORD)
            answers = [visitor.open(f"/oauth2/authorize?{asked}").location for _ in range(count)]
        return [dict(parse_qsl(urlsplit(location).query))["code"] for location in answers]

    def redeem(self, caller: Caller, code: str) -> dict[str, Any]:
        """Exchange a code."""
        form = {"grant_type": "authorization_code", "client_id": self.web_id, "redirect_uri": CALLBACK, "code": code}
        return caller.form(f"/auth/{DOMAIN}/oauth2/token", form)

    def rotate(self, caller: Caller, token: str) -> str:
        """Exchange a refresh token for the next."""
        made = caller("GetTokensFromRefreshToken", ClientId=self.client_id, RefreshToken=token)
        return made["AuthenticationResult"]["RefreshToken"]

    def sign_in(self, caller: Caller, person: Person) -> str:
        """Sign in with the password; give the refresh token."""
        given = {"USERNAME": person.name, "PASSWORD": PASSWORD}
        made = caller("InitiateAuth", ClientId=self.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
        return made["AuthenticationResult"]["RefreshToken"]

    def sign_up(self, caller: Caller, person: Person) -> None:
        """Sign up."""
        attributes = [{"Name": "email", "Value": person.email}]
        caller("SignUp", ClientId=self.client_id, Username=person.name, Password=PASSWORD, UserAttributes=attributes)

    def confirm(self, caller: Caller, person: Person) -> None:
        """Confirm a sign-up with the code that was sent."""
        (document,) = query(
            self.program.database,
            f"SELECT document FROM outbox WHERE recipient = '{person.email}' ORDER BY number DESC LIMIT 1",
        )[0]
        code = json.loads(document)["code"]
        caller("ConfirmSignUp", ClientId=self.client_id, Username=person.name, ConfirmationCode=code)

    def users(self) -> dict[str, User]:
        """Every user of the pool by name, as stored."""

        async def read() -> list[User]:
            store = open_store(self.program.database)
            try:
                return await store.read(lambda tx: tx.users.page(self.pool_id, after=None, limit=1_000_000))
            finally:
                await store.close()

        return {user.username: user for user in asyncio.run(read())}


def query(database: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows that a database gives, whatever its owner is doing."""
    if database.startswith("sqlite:///"):
        with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:///"), timeout=30)) as connection:
            return connection.execute(sql).fetchall()
    with psycopg.connect(database) as connection:
        return connection.execute(sql).fetchall()


class Crowd:
    """Threads that use a server until it is gone or they have done enough."""

    def __init__(self, town: Town, journal: Journal, seed: int, *, threads: int = 6) -> None:
        self._town, self._journal = town, journal
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._threads = [
            threading.Thread(target=self._live, args=[f"p{seed}x{number}", random.Random(seed * 1000 + number)])
            for number in range(threads)
        ]

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Let them work meanwhile; raises what none of them may see."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in self._threads:
                thread.join(60)
        assert self._journal.faults == []

    def _live(self, family: str, dice: random.Random) -> None:
        own: list[Person] = []
        caller = Caller(self._town.program)
        try:
            while not self._enough.is_set():
                self._act(caller, own, f"{family}n{len(own)}", dice.random())
                self._journal.operations += 1
        except GONE:
            return
        except BaseException as error:
            self._journal.faults.append(error)
        finally:
            caller.close()

    def _act(self, caller: Caller, own: list[Person], name: str, chance: float) -> None:
        town, waiting = self._town, [person for person in own if not person.confirmed]
        ready = [person for person in own if person.confirmed]
        if chance < 0.1 and self._journal.codes:
            with self._lock:
                code = self._journal.codes.pop()
            town.redeem(caller, code)
            self._journal.redeemed.append(code)
        elif chance < 0.4 and waiting:
            town.confirm(caller, waiting[0])
            waiting[0].confirmed = True
        elif chance < 0.7 and ready:
            person = ready[int(chance * 1000) % len(ready)]
            person.unsure = True
            person.tokens.append(
                town.rotate(caller, person.tokens[-1]) if person.tokens else town.sign_in(caller, person)
            )
            person.unsure = False
        else:
            person = Person(name)
            town.sign_up(caller, person)
            own.append(person)
            self._journal.people.append(person)


def kill_in_the_middle(town: Town, journal: Journal, seed: int, operations: int) -> None:
    """Let a crowd do about so many operations, and kill the server while it works."""
    dice = random.Random(seed)
    goal = journal.operations + operations
    deadline = time.monotonic() + 60
    with Crowd(town, journal, seed).busy():
        while journal.operations < goal and not journal.faults:
            assert time.monotonic() < deadline, journal.operations
            time.sleep(0.002)
        time.sleep(dice.random() * 0.02)
        town.program.kill()


def check(town: Town, journal: Journal, *, since: int = 0) -> None:
    """Hold a server that was started again to what it acknowledged; tokens of people before ``since`` were tried."""
    users = town.users()
    assert [person.name for person in journal.people if person.name not in users] == []
    assert [p.name for p in journal.people if p.confirmed and users[p.name].status != UserStatusType.CONFIRMED] == []
    check_whole(town, users)
    caller = Caller(town.program)
    for person in journal.people[since:]:
        check_tokens(town, caller, person)
    for code in journal.redeemed:
        assert refusal(town.redeem, caller, code) == "invalid_grant"
    caller.close()


def check_whole(town: Town, users: dict[str, User]) -> None:
    """No user without credentials, nothing without its user, and a count that is right."""
    assert [name for name, user in users.items() if user.credentials.password_hash is None] == []
    for table in ORPHANS:
        orphans = f"SELECT COUNT(*) FROM {table} WHERE user_id NOT IN (SELECT id FROM users)"
        assert query(town.program.database, orphans) == [(0,)], table
    found = query(town.program.database, "SELECT COUNT(DISTINCT user_id) FROM user_search WHERE attribute = 'email'")
    assert found == [(sum("email" in user.attributes for user in users.values()),)]
    if town.program.database.startswith("sqlite:"):
        assert query(town.program.database, "PRAGMA integrity_check") == [("ok",)]
    pool = town.program.boto().describe_user_pool(UserPoolId=town.pool_id)["UserPool"]
    assert pool["EstimatedNumberOfUsers"] == len(users)


def check_tokens(town: Town, caller: Caller, person: Person) -> None:
    """The last refresh token works once more, unless its use was not acknowledged; those before it do not."""
    if not person.tokens:
        return
    if not person.unsure:
        person.tokens.append(town.rotate(caller, person.tokens[-1]))
    for token in person.tokens[:-1]:
        assert refusal(town.rotate, caller, token) in {"RefreshTokenReuseException", "NotAuthorizedException"}
    # Trying an old one ended the session.
    person.tokens.clear()
    person.unsure = False


def refusal(work: Any, *arguments: Any) -> str | None:
    """The type of the error with which ``work`` ends."""
    try:
        work(*arguments)
    except Refused as error:
        return error.code
    return None
