"""The HTTP server around the application: one process, or several workers behind one socket."""

import asyncio
import gc
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
import uvloop
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from poolhouse.app import GARBAGE, App, Outside, begin, configure_logging, open_deps
from poolhouse.cli.http import Http
from poolhouse.cli.opened import CommandError
from poolhouse.flows.calls import Deps
from poolhouse.settings import Settings

Greet = Callable[[Settings, Deps], Awaitable[None]]

# Longer than any answer takes; then open requests are cut off.
DRAIN_SECONDS = 10
BACKLOG = 2048
# Longer than proxies and clients keep an idle connection (60 seconds are usual): a request that sets out as the server
# ends its connection is lost, and a POST is not sent again.
KEEP_ALIVE_SECONDS = 75
# Mozilla's "intermediate" for TLS 1.2; those of TLS 1.3 are all good.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def bind(settings: Settings) -> socket.socket:
    """Listen at the address of the settings, so that nobody else can; raises CommandError."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server(
            (settings.host, settings.port),
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=settings.host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        known = isinstance(error.errno, int) and error.errno > 0
        reason = os.strerror(error.errno) if known and error.errno else error.strerror
        raise CommandError(f"cannot listen on {settings.host}:{settings.port}: {reason}") from None


def check_certificate(settings: Settings) -> None:
    """Try the certificate and its key; raises CommandError."""
    if settings.tls_cert is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: "")
    except OSError as error:
        reason = error.reason or "no PEM file" if isinstance(error, ssl.SSLError) else error.strerror
        raise CommandError(
            f"cannot use the certificate {settings.tls_cert} with the key {settings.tls_key}: {reason}"
        ) from None


def serve_alone(settings: Settings, listener: socket.socket, greet: Greet) -> None:
    """Serve in this process until a signal ends it; raises what keeps the application from starting."""
    configure_logging(settings)
    app = App(settings)
    server = uvicorn.Server(server_config(settings, app, lifespan="off"))

    async def run() -> None:
        await app.start()
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        gc.enable()
        try:
            await greet(settings, app.deps)
            await server.serve(sockets=[listener])
        finally:
            await app.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def serve_with_workers(settings: Settings, listener: socket.socket, greet: Greet) -> None:
    """Serve in worker processes, which are replaced when they die, until a signal ends them all.

    Raises what keeps the application from starting.
    """
    configure_logging(settings)

    async def prepare() -> None:
        async with open_deps(settings, Outside()) as deps:
            await begin(settings, deps)
            await greet(settings, deps)

    asyncio.run(prepare())
    gc.enable()
    config = server_config(settings, "poolhouse.app:create_app", factory=True, lifespan="on", workers=settings.workers)
    supervisor = Workers(config, sockets=[listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise CommandError("a worker process did not start; the log says why")


class Workers(Multiprocess):
    """Worker processes and the one that tends them."""

    def terminate_all(self) -> None:
        """Ask the workers to drain; nobody may connect any more, which is up to this process too."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def server_config(settings: Settings, app: Any, **options: Any) -> uvicorn.Config:
    """Return the HTTP server's configuration for an application, with further ``options`` of uvicorn's."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Http,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        ssl_ciphers=CIPHERS,
        **{"timeout_keep_alive": KEEP_ALIVE_SECONDS} | options,
    )
