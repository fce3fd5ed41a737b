"""What the commands that tend the installation share: the settings, and the database behind them."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from poolhouse.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from poolhouse.flows.calls import Deps

T = TypeVar("T")
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


class CommandError(Exception):
    """A command cannot do what it was asked; the text is for the operator."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """Which installation a command is about."""

    config: Annotated[str | None, Parameter(help="The TOML file of settings.")] = None
    database: Annotated[str | None, Parameter(help="sqlite:///path or postgresql://…")] = None


HERE = Where()


def settings_of(where: Where, **flags: object) -> Settings:
    """Gather the settings; raises CommandError."""
    try:
        return load({"database": where.database} | flags, file=where.config)
    except SettingsError as error:
        raise CommandError(str(error)) from None


def run(settings: Settings, work: Callable[["Deps"], Awaitable[T]]) -> T:
    """Open the installation, do ``work`` and close it. A new one is made where there is none; raises CommandError."""
    is_new = settings.sqlite_file is not None and not settings.sqlite_file.exists()
    result = guarded(lambda: asyncio.run(_opened(settings, work)))
    if is_new:
        print(f"poolhouse: made a new database, {settings.sqlite_file}", file=sys.stderr)
    return result


async def _opened(settings: Settings, work: Callable[["Deps"], Awaitable[T]]) -> T:
    from poolhouse.app import Outside, install, open_deps
    from poolhouse.flows import installation

    async with open_deps(settings, Outside()) as deps:
        await installation.check_master_key(deps)
        served = await installation.find_url(deps)
        if served is None:
            await install(settings, deps)
        elif settings.public_url is None and settings.port == Settings().port:
            # The server may have got its URL or port by a flag; it is the one that knows.
            deps = replace(deps, identity=replace(deps.identity, public_url=served))
        return await work(deps)


def guarded(work: Callable[[], T]) -> T:
    """Do ``work``; what keeps it from its end for a reason that the operator can mend becomes CommandError."""
    from poolhouse.app import REFUSALS
    from poolhouse.model import ServiceError

    try:
        return work()
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise CommandError(what) from None
    except (*REFUSALS, ServiceError) as error:
        raise CommandError(str(error)) from None


def print_json(document: Any) -> None:
    """Print a document for scripts."""
    print(json.dumps(document, indent=2, ensure_ascii=False))
