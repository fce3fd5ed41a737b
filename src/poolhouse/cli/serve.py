"""Running the server."""

import logging
import os
import platform
import signal
import sqlite3
import sys

from poolhouse import __version__
from poolhouse.cli.opened import CommandError, run, settings_of
from poolhouse.flows.calls import Deps
from poolhouse.settings import PREFIX, Settings

# Longer than any answer takes; then open requests are cut off.
DRAIN_SECONDS = 10


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    database: str | None = None,
    public_url: str | None = None,
    workers: int | None = None,
    config: str | None = None,
) -> None:
    """Run the server in the foreground. SIGTERM lets open requests finish and exits 0.

    Example: poolhouse serve --port 7665

    Parameters
    ----------
    host
        Address to listen on.
    port
        Port to listen on.
    database
        sqlite:///path or postgresql://…
    public_url
        Base of every URL and issuer handed out.
    workers
        Worker processes, at most one per core.
    config
        The TOML file of settings.

    """
    flags = {"host": host, "port": port, "database": database, "public_url": public_url, "workers": workers}
    settings = settings_of(config, **flags)
    _greet(settings, run(settings, _invitation))
    # Worker processes are started afresh and read their settings from the environment.
    os.environ |= {PREFIX + name.upper(): str(value) for name, value in flags.items() if value is not None}
    if config is not None:
        os.environ[PREFIX + "CONFIG"] = config
    _listen(settings)


def check(*, config: str | None = None) -> None:
    """Check the settings, open the database and the keys, send nothing, and report. Example: poolhouse check"""
    settings = settings_of(config)

    async def work(deps: Deps) -> int:
        return await deps.store.read(lambda tx: tx.pools.count(settings.region))

    pools = run(settings, work)
    print(f"settings    ok ({settings.base_url})")
    print(f"database    ok ({settings.database.partition(':')[0]}, {pools} user pools in {settings.region})")
    print("master key  ok")
    print(f"mail        {'SMTP' if settings.smtp_url else 'outbox: nothing is sent'}")
    print(f"SMS         {'gateway' if settings.sms_url else 'outbox: nothing is sent'}")


def version() -> None:
    """Print the versions of Poolhouse, Python and the database engine. Example: poolhouse version"""
    print(f"Poolhouse {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")


async def _invitation(deps: Deps) -> str | None:
    from poolhouse.flows import operators

    return None if await operators.list_operators(deps) else await operators.invite(deps)


def _greet(settings: Settings, invitation: str | None) -> None:
    lines = [
        f"Poolhouse {__version__}",
        f"  API and issuer  {settings.base_url}",
        f"  Console         {settings.base_url}/console/",
        '  Credentials     eval "$(poolhouse env)"',
    ]
    if settings.smtp_url is None:
        lines.append("  Messages        kept in the outbox: poolhouse outbox")
    if invitation is not None:
        lines.append(f"  First operator  {invitation}")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _listen(settings: Settings) -> None:
    import uvicorn

    from poolhouse.cli.bounded_http import BoundedHttp

    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("uvicorn.error").setLevel("WARNING")
    # Uvicorn raises the signal again once it has drained.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        uvicorn.run(
            "poolhouse.app:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop="uvloop",
            http=BoundedHttp,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or "",
            timeout_graceful_shutdown=DRAIN_SECONDS,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
    except OSError as error:
        raise CommandError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
