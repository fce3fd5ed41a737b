"""The composition root: settings in, one ASGI application out. Everything is built here, once."""

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import pathlib
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from poolhouse import adapters
from poolhouse.api.endpoint import ApiDispatcher, ApiEndpoint
from poolhouse.console import Console
from poolhouse.core.message import Message
from poolhouse.core.seed import SeedError
from poolhouse.crypto.keyring import Keyring
from poolhouse.crypto.multi_buffer import find_multi_buffer
from poolhouse.crypto.passwords import PasswordHasher
from poolhouse.crypto.seal import Sealer
from poolhouse.flows import installation, operators, recent_uses
from poolhouse.flows.calls import Clock, Deps, Identity, Random
from poolhouse.flows.deliveries import DeliveryRounds
from poolhouse.flows.import_run import run_next
from poolhouse.flows.log_delivery import LogDelivery, report_undelivered
from poolhouse.flows.rates import RateLimiter
from poolhouse.flows.seeds.application import Plan, apply, read_plan
from poolhouse.flows.upkeep import look_after
from poolhouse.login import FeedbackPage, Login
from poolhouse.model import ConcurrentModificationException, ModelError, UsernameExistsException
from poolhouse.oauth import OAuth
from poolhouse.providers import Providers
from poolhouse.settings import Settings, SettingsError, load
from poolhouse.storage import Store, open_store
from poolhouse.storage.errors import StorageError
from poolhouse.web.health import Health
from poolhouse.web.import_uploads import ImportUploads
from poolhouse.web.routes import Receive, Router, Scope, Send, Surface

if TYPE_CHECKING:
    import httpx

    from poolhouse.testapi import MovedClock

log = logging.getLogger("poolhouse")

SWEEP_SECONDS = 60
SWEEP_ROWS = 1000
# How long the records of pools' logs may wait for company.
LOG_SECONDS = 1
# How often each process looks for a user import job to work on.
IMPORT_SECONDS = 0.2
MASTER_KEY_BYTES = 32
# When the collector looks for cycles: a page of users is a thousand objects, and hardly anything here makes cycles.
GARBAGE = (20_000, 20, 50)
# What keeps a server from starting for a reason that its operator can do something about.
REFUSALS = (StorageError, SettingsError, SeedError, installation.WrongMasterKey, OSError)


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class SystemRandom:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        """Return random bytes."""
        return secrets.token_bytes(count)

    def uuid(self) -> str:
        """Return a random UUID, version 4 (RFC 9562 §5.4); the standard library's takes twice as long."""
        digits = os.urandom(16).hex()
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def text(self, length: int, alphabet: str) -> str:
        """Return random characters of an alphabet."""
        return "".join(secrets.choice(alphabet) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Outside:
    """What tests put in the place of the outside world.

    ``road_to_providers`` makes what takes the place of the network on the way to identity providers.
    """

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=SystemRandom)
    road_to_providers: "Callable[[], httpx.AsyncBaseTransport] | None" = None


def read_master_key(settings: Settings) -> bytes:
    """Return the master key; the first start makes the file ``master.key`` beside the database, mode 0600.

    Raises SettingsError.
    """
    if settings.master_key is not None:
        return _decoded(settings.master_key, "POOLHOUSE_MASTER_KEY")
    path = settings.data_directory / "master.key"
    if not path.exists():
        _make_master_key(path)
    return _decoded(path.read_text().strip(), str(path))


def _make_master_key(path: pathlib.Path) -> None:
    """Make the file in one step, so that nobody reads half of it; of two starters the first wins."""
    _make_private_directory(path.parent)
    descriptor, draft = tempfile.mkstemp(prefix=".master.key-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(MASTER_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        pathlib.Path(draft).unlink()


def _decoded(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise SettingsError(f"{where} must hold {MASTER_KEY_BYTES * 2} hexadecimal digits.")
    return key


def _make_private_directory(path: pathlib.Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"Cannot make the directory {path} for the database: {error.strerror}.") from None


def open_database(settings: Settings) -> Store:
    """Open the database of the settings, making the directory of a SQLite file.

    Raises StorageError, and SettingsError where the directory cannot be made.
    """
    if settings.sqlite_file is not None:
        _make_private_directory(settings.data_directory)
    return open_store(settings.database, connections=settings.database_connections)


def build_deps(settings: Settings, store: Store, outside: Outside) -> Deps:
    """Build what lives as long as the process."""
    sealer = Sealer(read_master_key(settings))

    async def keep(message: Message) -> None:
        await store.write(lambda tx: tx.outbox.add(message))

    async def report(message: Message) -> None:
        try:
            await report_undelivered(store, outside.clock, message)
        except (StorageError, ConcurrentModificationException) as error:
            log.warning("message %s: no record that it did not arrive: %s", message.id, error)

    # Others check the time of signatures by their own clocks, however tests have moved ours.
    wall = SystemClock()
    return Deps(
        identity=Identity(
            region=settings.region,
            account_id=settings.account_id,
            public_url=settings.base_url,
            issuer=settings.issuer,
            auth_domain=settings.auth_domain,
            strict=settings.strict,
        ),
        store=store,
        keyring=Keyring(sealer, multi_buffer=find_multi_buffer() if settings.batched_signatures else None),
        sealer=sealer,
        passwords=PasswordHasher(
            # Two hashes that take turns on one core push each other's memory out of its caches.
            threads=min(settings.password_threads, len(os.sched_getaffinity(0))),
            memory_kib=settings.argon2_memory_kib,
            time_cost=settings.argon2_time,
        ),
        courier=adapters.build_courier(settings, keep=keep, report=report, now=wall.now),
        triggers=adapters.build_triggers(settings, now=wall.now, make_id=outside.random.uuid),
        sender_keys=adapters.build_sender_keys(settings),
        providers=Providers(wall=wall.now, make_id=outside.random.uuid, transport=outside.road_to_providers),
        rates=RateLimiter(store, settings.limits_by_category),
        clock=outside.clock,
        random=outside.random,
        breached=adapters.open_breached(settings),
        places=adapters.open_places(settings),
        failures_per_address=settings.failed_sign_ins_per_address,
        message_limits=settings.limits_on_messages,
    )


@contextlib.asynccontextmanager
async def open_deps(settings: Settings, outside: Outside) -> AsyncIterator[Deps]:
    """Open the database and build the rest; all of it is closed afterwards.

    Raises StorageError, SettingsError and OSError.
    """
    async with contextlib.AsyncExitStack() as stack:
        store = open_database(settings)
        stack.push_async_callback(store.close)
        deps = build_deps(settings, store, outside)
        stack.callback(deps.passwords.close)
        stack.push_async_callback(deps.triggers.close)
        stack.callback(deps.sender_keys.close)
        stack.push_async_callback(deps.providers.close)
        stack.push_async_callback(deps.courier.close)
        yield deps


async def install(settings: Settings, deps: Deps) -> None:
    """Make what a first start needs, and bring what is there in line with the settings.

    Raises WrongMasterKey, and SettingsError for an operator that cannot be.
    """
    await installation.check_master_key(deps)
    given = (settings.root_access_key_id, settings.root_secret_access_key)
    await installation.ensure_root_key(deps, (given[0], given[1]) if given[0] and given[1] else None)
    await operators.ensure_pool(deps)
    await installation.remember_url(deps)
    if settings.operator_email and settings.operator_password:
        await _ensure_operator(deps, settings.operator_email, settings.operator_password)


async def begin(settings: Settings, deps: Deps) -> Plan:
    """Install, and make what the seed names and the database lacks; return what the seed says.

    Raises what ``install`` raises, and SeedError, after which nothing of the seed is there.
    """
    plan = read_plan(settings.seed)
    await install(settings, deps)
    made = await apply(deps, plan)
    if made:
        log.info("seed: made %d of %d things that %s names", len(made), len(plan.items), plan.path)
    return plan


async def _ensure_operator(deps: Deps, email: str, password: str) -> None:
    try:
        await operators.ensure_operator(deps, email, password)
    except UsernameExistsException:
        return  # another node of the installation was faster
    except ModelError as error:
        raise SettingsError(f"POOLHOUSE_OPERATOR_EMAIL and _PASSWORD make no operator: {error.message}") from None


def configure_logging(settings: Settings) -> None:
    """Send the log to standard error."""
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    # It tells of each start and stop, and so do we.
    logging.getLogger("uvicorn.error").setLevel("WARNING")
    # It tells the address of each request, which may be meant for the two parties only.
    logging.getLogger("httpx").setLevel("WARNING")


def _moved_clock(wall: Clock) -> "MovedClock":
    from poolhouse.testapi import MovedClock

    return MovedClock(wall)


class App:
    """The ASGI application of one worker process."""

    def __init__(self, settings: Settings, outside: Outside | None = None) -> None:
        self.settings = settings
        self._outside = outside or Outside()
        self._clock = _moved_clock(self._outside.clock) if settings.test_api else None
        if self._clock is not None:
            self._outside = replace(self._outside, clock=self._clock)
        self._router: Surface | None = None
        self._stack = contextlib.AsyncExitStack()
        self.deps: Deps
        self._logs: LogDelivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in start and stop."""
        if scope["type"] == "http":
            if self._router is None:
                raise RuntimeError("the application was not started")
            await self._router(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            if isinstance(error, REFUSALS):
                log.error("start failed: %s", error)  # noqa: TRY400 - it is for the operator, not for us
            else:
                log.exception("start failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Open everything and begin the background work; closes what it opened where that fails."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        self.deps = await self._stack.enter_async_context(open_deps(self.settings, self._outside))
        plan = await begin(self.settings, self.deps)
        await look_after(self.deps)
        api = ApiEndpoint(self.deps, signature_clock=None if self._clock is None else self._clock.wall)
        router = Router(
            self.deps,
            api=api,
            oauth=OAuth(self.deps),
            login=Login(self.deps),
            console=Console(self.deps, ApiDispatcher(self.deps), self),
            health=Health(self.deps),
            imports=ImportUploads(self.deps),
            feedback=FeedbackPage(self.deps),
        )
        self._router = router
        if self._clock is not None:
            from poolhouse.testapi import TestApi

            self._router = TestApi(router, self.deps, self._clock, plan)
        self._logs = LogDelivery(self.deps.store, self.deps.clock, adapters.build_log_routes(self.settings))
        self._stack.push_async_callback(self._write_uses)
        self._node = self.deps.random.uuid()
        deliveries = DeliveryRounds(self.deps)
        self._stack.push_async_callback(deliveries.close)
        background = (
            self._keep_stock,
            self._keep_swept,
            self._keep_up,
            self._keep_logs_delivered,
            self._keep_uses_written,
            self._keep_importing,
            deliveries.go,
        )
        for work in background:
            await self._stack.enter_async_context(_background(work))

    async def stop(self) -> None:
        """End the background work and close everything."""
        await self._stack.aclose()

    async def _keep_stock(self) -> None:
        await installation.fill_key_stock(self.deps)
        await asyncio.sleep(1)

    async def _keep_up(self) -> None:
        await asyncio.sleep(1)
        await look_after(self.deps)

    async def _keep_logs_delivered(self) -> None:
        if not await self._logs.deliver_due():
            await asyncio.sleep(LOG_SECONDS)

    async def _keep_uses_written(self) -> None:
        await asyncio.sleep(recent_uses.SECONDS)
        await self.deps.recent_uses.write(self.deps.store)

    async def _write_uses(self) -> None:
        """Write what a stop would otherwise lose, before the store closes; a database that fails must not keep it up."""
        with contextlib.suppress(StorageError):
            await self.deps.recent_uses.write(self.deps.store)

    async def _keep_importing(self) -> None:
        if not await run_next(self.deps, self._node):
            await asyncio.sleep(IMPORT_SECONDS)

    async def _keep_swept(self) -> None:
        await asyncio.sleep(SWEEP_SECONDS)
        now = self.deps.clock.now()
        while await self.deps.store.write(lambda tx: tx.sweep(now, SWEEP_ROWS)) >= SWEEP_ROWS:  # noqa: ASYNC110
            await asyncio.sleep(0)  # there is more; others may write in between


@contextlib.asynccontextmanager
async def _background(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def forever() -> None:
        while True:
            try:
                await work()
            except StorageError as error:
                log.warning("background work failed: %s", error)
                await asyncio.sleep(1)
            except Exception:
                # The next round may well succeed: a database that is away for a moment, say.
                log.exception("background work failed")
                await asyncio.sleep(1)

    task = asyncio.create_task(forever())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def create_app() -> App:
    """Build the application from the environment: the factory that worker processes call."""
    settings = load()
    configure_logging(settings)
    parent = multiprocessing.parent_process()
    if parent is not None:
        gc.set_threshold(*GARBAGE)
        # A worker must not go on, and hold the port, without the process that tends it.
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()
    return App(settings)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
