"""The paths of the test API, and the failures that stand in front of every other path."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from poolhouse.api.endpoint import BODY_LIMIT, TARGET
from poolhouse.core.message import Message
from poolhouse.core.parameters import MalformedParameters, Parameters, parse_parameters
from poolhouse.core.seed import SeedError
from poolhouse.flows.calls import Deps
from poolhouse.flows.seeds.application import Plan
from poolhouse.flows.seeds.reset import reset
from poolhouse.model import ResourceNotFoundException
from poolhouse.storage.errors import StorageError
from poolhouse.testapi.clock import MovedClock, written
from poolhouse.testapi.failures import Failure, Failures, answer, endpoint_of
from poolhouse.testapi.guard import check_local
from poolhouse.web.requests import RequestRefused, headers, read_body, request_id
from poolhouse.web.responses import Response, json_response, respond
from poolhouse.web.routes import Surface

T = TypeVar("T")

PREFIX = "/test/"
# Test suites that were written for moto know this path.
MOTO_RESET = "/moto-api/reset"
LONGEST_WAIT = 60.0
POLL_SECONDS = 0.05


class Reset(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """What to put back: one pool, or everything."""

    user_pool_id: str | None = None


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """How to move the clock: by seconds, or to a time, in RFC 3339 or in milliseconds since 1970."""

    advance: float | None = None
    set: datetime | int | None = None


Handler = Callable[[Parameters, bytes], Awaitable[Any]]


class TestApi:
    """The test API in front of the router."""

    # It is no test, whatever its name says to pytest.
    __test__ = False

    def __init__(self, router: Surface, deps: Deps, clock: MovedClock, plan: Plan) -> None:
        self._router, self._deps, self._clock, self._plan = router, deps, clock, plan
        self._failures = Failures()
        self._handlers: dict[str, dict[str, Handler]] = {
            "reset": {"POST": self._reset},
            "messages": {"GET": self._show_messages, "DELETE": self._drop_messages},
            "clock": {"GET": self._show_clock, "POST": self._move_clock, "DELETE": self._put_clock_back},
            "failures": {"GET": self._show_failures, "POST": self._order_failure, "DELETE": self._cancel_failures},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let the router do so."""
        path: str = scope["path"]
        if path.startswith(PREFIX) or path == MOTO_RESET:
            return await respond(send, await self._answer(scope, receive))
        failure = self._failures.take(_operation(scope)) if self._failures.open else None
        if failure is not None:
            await asyncio.sleep(failure.delay)
            refused = answer(failure, request_id(scope, self._deps))
            if refused is not None:
                with contextlib.suppress(RequestRefused):
                    await read_body(receive, 2 * BODY_LIMIT)
                return await respond(send, refused)
        return await self._router(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        try:
            check_local(scope)
            handler = self._get_handler(scope["path"], scope["method"])
            query = parse_parameters(scope["query_string"])
            document = await handler(query, await _read_json(scope, receive))
        except RequestRefused as refused:
            return json_response(refused.status, {"message": refused.reason})
        except MalformedParameters:
            return json_response(400, {"message": "The query is malformed."})
        except (ValueError, SeedError) as error:
            return json_response(400, {"message": _sentence(str(error))})
        except ResourceNotFoundException as error:
            return json_response(404, {"message": error.message})
        except StorageError as error:
            return json_response(503, {"message": str(error)})
        return json_response(200, document)

    def _get_handler(self, path: str, method: str) -> Handler:
        name = "reset" if path == MOTO_RESET else path.removeprefix(PREFIX)
        handlers = self._handlers.get(name)
        if handlers is None:
            paths = ", ".join(PREFIX + each for each in self._handlers)
            raise RequestRefused(404, f"The test API has {paths}.")
        if method not in handlers:
            raise RequestRefused(405, f"{PREFIX}{name} takes {', '.join(handlers)}.")
        return handlers[method]

    async def _reset(self, _query: Parameters, body: bytes) -> Any:
        pool_id = _decode(body, Reset).user_pool_id
        if pool_id is None:
            self._clock.put_back()
            self._failures.clear()
        await reset(self._deps, self._plan, pool_id)
        return {"status": "ok"}

    async def _show_messages(self, query: Parameters, _body: bytes) -> list[Message]:
        _check_names(query, "to", "last", "after", "wait")
        wait = _number(query.get("wait") or "0")
        for _ in range(int(wait / POLL_SECONDS)):
            if found := await self._find_messages(query):
                return found
            await asyncio.sleep(POLL_SECONDS)
        return await self._find_messages(query)

    async def _find_messages(self, query: Parameters) -> list[Message]:
        messages = await self._deps.store.read(lambda tx: tx.outbox.list())
        after = query.get("after")
        if after is not None:
            ids = [message.id for message in messages]
            if after not in ids:
                raise RequestRefused(404, "There is no message of the id that 'after' names.")
            messages = messages[ids.index(after) + 1 :]
        to = query.get("to")
        found = [message for message in messages if to in {None, message.to}]
        return found[-1:] if query.get("last") in {"true", "1"} else found

    async def _drop_messages(self, query: Parameters, _body: bytes) -> Any:
        _check_names(query, "to")
        return {"deleted": await self._deps.store.write(lambda tx: tx.outbox.delete(query.get("to")))}

    async def _show_clock(self, *_: object) -> Any:
        now = self._clock.now()
        return {"now": now, "time": written(now), "moved": self._clock.offset / 1000}

    async def _move_clock(self, _query: Parameters, body: bytes) -> Any:
        move = _decode(body, Move)
        if (move.advance is None) == (move.set is None):
            raise RequestRefused(400, "Give either 'advance', in seconds, or 'set', a time.")
        if move.advance is not None:
            self._clock.advance(round(move.advance * 1000))
        elif isinstance(move.set, datetime):
            if move.set.tzinfo is None:
                raise RequestRefused(400, "The time in 'set' needs an offset, such as Z.")
            self._clock.put(round(move.set.timestamp() * 1000))
        elif move.set is not None:
            self._clock.put(move.set)
        return await self._show_clock()

    async def _put_clock_back(self, *_: object) -> Any:
        self._clock.put_back()
        return await self._show_clock()

    async def _show_failures(self, *_: object) -> list[Failure]:
        return self._failures.open

    async def _order_failure(self, _query: Parameters, body: bytes) -> list[Failure]:
        self._failures.add(_decode(body, Failure))
        return self._failures.open

    async def _cancel_failures(self, query: Parameters, _body: bytes) -> list[Failure]:
        _check_names(query, "operation")
        self._failures.clear(query.get("operation"))
        return self._failures.open


def _operation(scope: Scope) -> str:
    """Return the operation of the API, or the path of an OAuth endpoint, that a request is for; else nothing."""
    if scope["method"] == "OPTIONS":
        return "/"
    if scope["path"] == "/" and scope["method"] == "POST":
        target = headers(scope).get("x-amz-target", "")
        return target.removeprefix(TARGET) if target.startswith(TARGET) else "/"
    return endpoint_of(scope["path"])


async def _read_json(scope: Scope, receive: Receive) -> bytes:
    """Return the body. Pages can send other types without asking first; raises RequestRefused."""
    body = await read_body(receive, BODY_LIMIT)
    kind = headers(scope).get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise RequestRefused(415, "The test API takes Content-Type: application/json.")
    return body or b"{}"


def _decode(body: bytes, kind: type[T]) -> T:
    """Return the structure in a body; raises ValueError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error).replace("`", "'")) from None


def _check_names(query: Parameters, *known: str) -> None:
    unknown = sorted(query.values.keys() - set(known))
    if unknown:
        raise RequestRefused(400, f"There is no parameter {unknown[0]}; there are {', '.join(known)}.")


def _number(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= LONGEST_WAIT:
        raise ValueError(f"the wait can be at most {LONGEST_WAIT:.0f} seconds")
    return seconds


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
