"""``python -m bench.inprocess``: what requests cost without a socket, in processor time, and where it goes.

The application answers prepared requests of the same scenarios directly, one after the other. ``BENCH_PROFILE=name``
prints which functions one of them spends its time in.
"""

import cProfile
import os
import pstats
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from bench import limits, scenarios
from bench.load import BadAnswer, MakeRequest, Result
from bench.machine import environment_for, running, sqlite_database
from bench.people import fill
from poolhouse.app import App
from poolhouse.flows.installation import fill_key_stock
from poolhouse.settings import load

USERS = int(os.environ.get("BENCH_USERS", "10000"))
COUNT = 3000
SIGNATURES = {"client_credentials": 1, "refresh_token": 2, "authorization_code": 2}
SCENARIOS: dict[str, Callable[[scenarios.Stage], Awaitable[Result]]] = {
    "client_credentials": scenarios.client_credentials,
    "refresh_token": scenarios.refresh,
    "authorization_code": scenarios.code_exchange,
    "GetUser": scenarios.get_user,
    "userInfo": scenarios.user_info,
    "JWKS": scenarios.jwks,
    "discovery": scenarios.discovery,
    "AdminCreateUser": scenarios.admin_create_user,
    "ListUsers": lambda stage: scenarios.list_users(stage, stage.pool_id),
}


class InProcess:
    """Stands where ``Machine`` stands for scenarios, without a server."""

    def __init__(self, app: App, port: int) -> None:
        self._app, self.port = app, port
        self.url = f"http://localhost:{port}"
        self.profile: cProfile.Profile | None = None

    async def drive(
        self,
        make: MakeRequest,
        *,
        limit: int | None = None,
        status: bytes = b"200",
        keep: list[bytes] | None = None,
        **_: Any,
    ) -> Result:
        """Answer ``limit`` requests; the result is a typical one of them. The first few warm up."""
        count, result = min(limit or COUNT, COUNT), Result()
        prepared = [_parse(make(number)) for number in range(count)]
        warm, taken = count // 10, []
        for number, (scope, body) in enumerate(prepared):
            if number == warm and self.profile and keep is None:
                self.profile.enable()
            began = time.process_time()
            answer = await self._ask(scope, body, status)
            taken.append(time.process_time() - began)
            if keep is not None:
                keep.append(answer)
        if self.profile:
            self.profile.disable()
        # Half of the requests took less: this leaves out what other programs did to the caches.
        result.count, result.cpu = 1, statistics.median(taken[warm:])
        return result

    async def _ask(self, scope: dict[str, Any], body: bytes, status: bytes) -> bytes:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self._app(scope, receive, send)
        if sent[0]["status"] != int(status):
            raise BadAnswer(str(sent))
        return b"".join(b"%s: %s\r\n" % header for header in sent[0]["headers"]) + sent[1]["body"]


def _parse(request: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode().split(" ")
    path, _, query = target.partition("?")
    headers = [line.split(b": ", 1) for line in lines]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower(), value) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 7665),
        "scheme": "http",
    }
    return scope, body


async def measure(stage: scenarios.Stage, chosen: str | None) -> None:
    """Print the processor time of each scenario, and above its signatures; profile one."""
    app = App(load())
    await app.start()
    await fill_key_stock(app.deps)
    stage.machine = machine = InProcess(app, stage.machine.port)
    signature = 1e6 * limits.typical_signature()
    print(f"one signature {signature:.0f} µs")
    for name, scenario in SCENARIOS.items():
        if chosen in {None, name}:
            machine.profile = cProfile.Profile() if chosen else None
            result = await scenario(stage)
            each = result.cpu_each * 1e6
            print(f"  {name:20} {each:8.0f} µs  {each - SIGNATURES.get(name, 0) * signature:8.0f} µs above signatures")
    if machine.profile:
        pstats.Stats(machine.profile, stream=sys.stdout).sort_stats("tottime").print_stats(40)
    await app.stop()


def main(chosen: str | None = os.environ.get("BENCH_PROFILE")) -> None:
    """Prepare a database with a server of its own, then answer without one."""
    with sqlite_database() as database:
        with running(database) as machine:
            stage = scenarios.prepare(machine)
        fill(database, stage.pool_id, USERS)
        os.environ |= environment_for(database, machine.port)
        uvloop.run(measure(stage, chosen))


if __name__ == "__main__":
    main()
