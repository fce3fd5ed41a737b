"""A stage for flows: everything real and in memory, and playbooks, conversations with the sign-in machine.

play(stage.user("ann")) >> initiate("USER_PASSWORD_AUTH", PASSWORD=GOOD) << tokens()
"""

import asyncio
import base64
import functools
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from poolhouse.api.operations import auth
from poolhouse.core.client import Client
from poolhouse.core.message import Message
from poolhouse.core.pool import Pool
from poolhouse.core.schema import new_schema
from poolhouse.core.signing_key import SigningKey
from poolhouse.core.user import User
from poolhouse.crypto.keyring import Keyring
from poolhouse.crypto.passwords import PasswordHasher
from poolhouse.crypto.seal import Sealer
from poolhouse.crypto.sender_keys import SenderKeys
from poolhouse.delivery import Courier
from poolhouse.flows.calls import AdminCall, Deps, Identity, Origin, PublicCall
from poolhouse.flows.clients import seal_secret
from poolhouse.flows.passwords import make_credentials
from poolhouse.flows.rates import RateLimiter
from poolhouse.flows.users import insert_user
from poolhouse.model import (
    AdminInitiateAuthRequest,
    AdminRespondToAuthChallengeRequest,
    AuthFlowType,
    ChallengeNameType,
    GetUserPoolMfaConfigResponse,
    InitiateAuthRequest,
    RespondToAuthChallengeRequest,
    ServiceError,
    UserPoolClientType,
    UserPoolType,
    UserStatusType,
)
from poolhouse.providers import Providers
from poolhouse.storage import open_store
from poolhouse.triggers import Triggers

GOOD, BETTER = "Correct-Horse-1", "Battery-Staple-2"
POOL_ID = "us-east-1_AbCdEfGhI"
FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_USER_AUTH",
]
START = 1_700_000_000_123
MASTER_KEY = b"m" * 32


class HandClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> int:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += int(seconds * 1000)


class RealRandom:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def text(self, length: int, alphabet: str) -> str:
        return "".join(secrets.choice(alphabet) for _ in range(length))


@functools.cache
def pool_keys() -> list[SigningKey]:
    """The keys of every stage's pool: made once, being slow to make."""
    keyring = Keyring(Sealer(MASTER_KEY))
    return [keyring.make_key(use, START, RealRandom()) for use in ("id", "access")]


class Stage:
    """One pool with one client, in a store of its own."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.clock = HandClock()
        self.store = open_store("sqlite:///:memory:")
        sealer = Sealer(MASTER_KEY)
        self.deps = Deps(
            identity=Identity(region="us-east-1", account_id="000000000000", public_url="http://localhost:7665"),
            store=self.store,
            keyring=Keyring(sealer),
            sealer=sealer,
            passwords=PasswordHasher(memory_kib=8, time_cost=1, threads=1),
            courier=Courier(keep=self._keep, now=int),
            triggers=Triggers(),
            sender_keys=SenderKeys({}),
            providers=Providers(wall=int, make_id=str),
            rates=RateLimiter(self.store),
            clock=self.clock,
            random=RealRandom(),
        )
        self.pool = self.client = None
        self.set_pool()
        self.set_client()

    async def _keep(self, message: Message) -> None:
        await self.store.write(lambda tx: tx.outbox.add(message))

    @property
    def sent(self) -> list[Message]:
        """The messages that have left, oldest first."""
        return self.read(lambda tx: tx.outbox.list())

    def close(self) -> None:
        self.deps.passwords.close()
        self.runner.run(self.store.close())
        self.runner.close()

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def read(self, work):
        return self.run(self.store.read(work))

    def write(self, work):
        return self.run(self.store.write(work))

    @property
    def admin(self) -> AdminCall:
        return AdminCall(
            deps=self.deps, now=self.clock.now(), origin=Origin(request_id="r"), region="us-east-1", principal="root"
        )

    @property
    def public(self) -> PublicCall:
        return PublicCall(deps=self.deps, now=self.clock.now(), origin=Origin(request_id="r"))

    def set_pool(self, mfa: GetUserPoolMfaConfigResponse | None = None, **settings: Any) -> Pool:
        """Make the pool, or change its settings."""
        schema = settings.pop("schema_attributes", [])
        made = Pool(
            id=POOL_ID,
            settings=UserPoolType(schema_attributes=new_schema(schema), **settings),
            mfa=mfa or GetUserPoolMfaConfigResponse(),
            device_group_key="-v7w9UcY6",
        )
        if self.pool is None:
            self._insert_pool(made)
        else:
            stored = self.read(lambda tx: tx.catalogue.find_pool(POOL_ID))
            self.write(lambda tx: tx.pools.save(replace(made, revision=stored.revision)))
        self.pool = self.read(lambda tx: tx.catalogue.find_pool(POOL_ID))
        return self.pool

    def _insert_pool(self, pool: Pool) -> None:
        keys = pool_keys()

        def insert(tx) -> None:
            tx.pools.insert(pool, START)
            for key in keys:
                tx.signing_keys.insert(replace(key, pool_id=pool.id, state="active"))

        self.write(insert)

    def set_client(self, id: str = "client", *, secret: str | None = None, **settings: Any) -> Client:
        """Make a client, or change its settings; it becomes the one that speaks."""
        given = {"explicit_auth_flows": FLOWS, "enable_token_revocation": True} | settings
        sealed = (seal_secret(self.deps, id, secret, START),) if secret else ()
        made = Client(id=id, pool_id=POOL_ID, settings=UserPoolClientType(**given), secrets=sealed)
        found = self.read(lambda tx: tx.catalogue.find_app(id))
        if found is None:
            self.write(lambda tx: tx.clients.insert(made))
        else:
            self.write(lambda tx: tx.clients.save(replace(made, revision=found[1].revision)))
        self.client = self.read(lambda tx: tx.catalogue.find_app(id))[1]
        return self.client

    def user(
        self,
        username: str = "ann",
        password: str | None = GOOD,
        status: UserStatusType = UserStatusType.CONFIRMED,
        *,
        enabled: bool = True,
        **attributes: str,
    ) -> User:
        """Store a user."""
        user = User(
            pool_id=POOL_ID,
            sub=str(uuid.uuid4()),
            username=username,
            status=status,
            enabled=enabled,
            attributes=attributes,
            created_at=self.clock.now(),
            modified_at=self.clock.now(),
        )
        if password:
            credentials = self.run(make_credentials(self.public, self.pool, username, password))
            user = replace(user, credentials=credentials)
        return self.write(lambda tx: insert_user(tx, self.pool, user))

    def find(self, username: str = "ann") -> User | None:
        return self.read(lambda tx: tx.users.find_by_username(POOL_ID, username))

    def change(self, username: str = "ann", **changes: Any) -> None:
        from poolhouse.flows.users import save_user

        self.write(
            lambda tx: save_user(tx, self.pool, replace(tx.users.find_by_username(POOL_ID, username), **changes))
        )


@dataclass
class Play:
    """A conversation: ``>>`` says something to the server, ``<<`` expects what it said back."""

    stage: Stage
    username: str = "ann"
    answer: Any = None

    def __rshift__(self, step) -> "Play":
        try:
            self.answer = step(self)
        except ServiceError as error:
            self.answer = error
        return self

    def __lshift__(self, expect) -> "Play":
        expect(self.answer)
        return self


def play(stage: Stage, username: str = "ann") -> Play:
    return Play(stage, username)


def initiate(flow: str, *, metadata: dict[str, str] | None = None, **parameters: str):
    """Begin a sign-in by the public operation."""

    def step(play: Play):
        request = InitiateAuthRequest(
            auth_flow=AuthFlowType(flow),
            client_id=play.stage.client.id,
            client_metadata=metadata,
            auth_parameters={"USERNAME": play.username} | parameters,
        )
        return play.stage.run(auth.initiate_auth(play.stage.public, request))

    return step


def admin_initiate(flow: str, **parameters: str):
    """Begin a sign-in by the operation of administrators."""

    def step(play: Play):
        request = AdminInitiateAuthRequest(
            auth_flow=AuthFlowType(flow),
            client_id=play.stage.client.id,
            user_pool_id=POOL_ID,
            auth_parameters={"USERNAME": play.username} | parameters,
        )
        return play.stage.run(auth.admin_initiate_auth(play.stage.admin, request))

    return step


def respond(challenge: str, *, session: str | None = None, metadata: dict[str, str] | None = None, **answers: str):
    """Answer the last challenge, in the session that came with it unless another is given."""

    def step(play: Play):
        given = session if session is not None else getattr(play.answer, "session", None)
        request = RespondToAuthChallengeRequest(
            challenge_name=ChallengeNameType(challenge),
            client_id=play.stage.client.id,
            session=given or None,
            challenge_responses={"USERNAME": play.username} | _attributes(answers),
            client_metadata=metadata,
        )
        return play.stage.run(auth.respond_to_auth_challenge(play.stage.public, request))

    return step


def admin_respond(challenge: str, **answers: str):
    """Answer the last challenge by the operation of administrators."""

    def step(play: Play):
        request = AdminRespondToAuthChallengeRequest(
            challenge_name=ChallengeNameType(challenge),
            client_id=play.stage.client.id,
            user_pool_id=POOL_ID,
            session=play.answer.session,
            challenge_responses={"USERNAME": play.username} | _attributes(answers),
        )
        return play.stage.run(auth.admin_respond_to_auth_challenge(play.stage.admin, request))

    return step


def _attributes(answers: dict[str, str]) -> dict[str, str]:
    return {name.replace("userAttributes__", "userAttributes."): value for name, value in answers.items()}


def wait(seconds: float):
    """Let time pass; the last answer stays in mind."""

    def step(play: Play):
        play.stage.clock.advance(seconds)
        return play.answer

    return step


def tokens():
    """Expect tokens and nothing else."""

    def expect(answer) -> None:
        assert not isinstance(answer, ServiceError), f"{answer.code}: {answer.message}"
        result = answer.authentication_result
        assert result.access_token
        assert result.id_token
        assert result.refresh_token
        assert (result.token_type, answer.challenge_parameters) == ("Bearer", {})
        assert answer.challenge_name is None
        assert answer.session is None

    return expect


def challenge(name: str, **parameters: str):
    """Expect a challenge with these parameters among its own."""

    def expect(answer) -> None:
        assert not isinstance(answer, ServiceError), f"{answer.code}: {answer.message}"
        assert answer.authentication_result is None
        assert answer.challenge_name == name
        assert {key: answer.challenge_parameters.get(key) for key in parameters} == parameters

    return expect


def error(code: str, message: str):
    """Expect an error, by its code and its exact text."""

    def expect(answer) -> None:
        assert isinstance(answer, ServiceError), f"no error but {answer}"
        assert (answer.code, answer.message) == (code, message)

    return expect


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
