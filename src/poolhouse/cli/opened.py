"""What the commands that tend the installation share: the settings, and the database behind them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from poolhouse.flows.calls import Deps
from poolhouse.settings import Settings, SettingsError, load

T = TypeVar("T")


class CommandError(Exception):
    """A command cannot do what it was asked; the text is for the operator."""


def settings_of(config: str | None = None, **flags: object) -> Settings:
    """Gather the settings; raises CommandError."""
    try:
        return load(flags, file=config)
    except SettingsError as error:
        raise CommandError(str(error)) from None


def run(settings: Settings, work: Callable[[Deps], Awaitable[T]]) -> T:
    """Open the installation, do ``work`` and close it; raises CommandError."""
    from poolhouse.app import Outside, build_deps, install, open_database
    from poolhouse.flows.installation import WrongMasterKey
    from poolhouse.storage.errors import StorageError

    async def opened() -> T:
        store = open_database(settings)
        try:
            deps = build_deps(settings, store, Outside())
            try:
                await install(settings, deps)
                return await work(deps)
            finally:
                deps.passwords.close()
        finally:
            await store.close()

    try:
        return asyncio.run(opened())
    except (StorageError, SettingsError, WrongMasterKey, OSError) as error:
        raise CommandError(str(error)) from None
