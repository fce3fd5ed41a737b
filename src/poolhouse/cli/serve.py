"""Running the server."""

import gc
import os
import pathlib
import shutil
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from msgspec.structs import replace

from poolhouse import __version__
from poolhouse.cli.opened import HERE, Where, guarded, settings_of
from poolhouse.settings import PREFIX, Settings

if TYPE_CHECKING:
    from poolhouse.flows.calls import Deps

NAME = "poolhouse"


def serve(
    *,
    host: Annotated[str | None, Parameter(help="Address to listen on.")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 takes any that is free.")] = None,
    public_url: Annotated[str | None, Parameter(help="Base of every URL and issuer handed out.")] = None,
    workers: Annotated[int | None, Parameter(help="Worker processes, at most one per core.")] = None,
    where: Where = HERE,
) -> None:
    """Run the server in the foreground. SIGTERM lets open requests finish and exits 0.

    Example: poolhouse serve --port 7665
    """
    flags = {"host": host, "port": port, "public_url": public_url, "workers": workers}
    settings = settings_of(where, **flags)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    # What is made while starting stays: looking through it for garbage would take a tenth of the time.
    gc.disable()
    from poolhouse.cli.listening import bind, check_certificate, serve_alone, serve_with_workers

    check_certificate(settings)
    listener = bind(settings)
    settings = replace(settings, port=listener.getsockname()[1])
    if settings.workers == 1:
        guarded(lambda: serve_alone(settings, listener, greet))
        return
    _hand_down(settings, where, flags)
    guarded(lambda: serve_with_workers(settings, listener, greet))


async def greet(settings: Settings, deps: "Deps") -> None:
    """Tell the operator where everything is."""
    from poolhouse.flows import operators

    command = _command()
    lines = [
        f"Poolhouse {__version__}",
        f"  API and issuer  {settings.base_url}",
        f"  Console         {settings.base_url}/console/",
        f'  Credentials     eval "$({command} env)"',
    ]
    if settings.smtp_url is None:
        lines.append(f"  Messages        kept in the outbox: {command} outbox")
    if settings.test_api:
        lines.append(f"  Test API        {settings.base_url}/test/, for programs of this machine")
    if await operators.is_without_operators(deps):
        lines.append(f"  First operator  {await operators.invite(deps)}")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _command() -> str:
    """Return how this program is called: by its name where the shell finds it, else by the path that it was called by."""
    called = pathlib.PurePath(sys.argv[0])
    return str(called) if called.name == NAME and shutil.which(NAME) is None else NAME


def _hand_down(settings: Settings, where: Where, flags: Mapping[str, object]) -> None:
    """Put the flags into the environment: workers are started afresh and read their settings there."""
    given = {**flags, "database": where.database, "port": settings.port}
    for name, value in given.items():
        if value is not None:
            variable = PREFIX + name.upper()
            os.environ.pop(f"{variable}_FILE", None)
            os.environ[variable] = str(value)
    if where.config is not None:
        os.environ[PREFIX + "CONFIG"] = where.config
