"""Commands about the database."""

import pathlib
from typing import Annotated

from cyclopts import Parameter

from poolhouse.cli.opened import HERE, CommandError, Where, guarded, settings_of


def migrate(*, where: Where = HERE) -> None:
    """Bring the database to this version's schema. The server does it too when it starts.

    Example: poolhouse migrate
    """
    from poolhouse.app import open_database

    settings = settings_of(where)
    guarded(lambda: open_database(settings).close_now())
    print("The database is up to date.")


def backup(
    file: Annotated[pathlib.Path, Parameter(help="The file to write; it must not exist.")], *, where: Where = HERE
) -> None:
    """Write a consistent copy of the database while the server runs. It is of no use without the master key.

    Example: poolhouse backup poolhouse-2026-11-23.backup
    """
    from poolhouse.storage.backup import backup as write_backup

    settings = settings_of(where)
    if file.exists():
        raise CommandError(f"{file} exists; choose another name")
    guarded(lambda: write_backup(settings.database, file))
    print(f"Wrote {file}.")


def restore(
    file: Annotated[pathlib.Path, Parameter(help="A file that 'poolhouse backup' wrote.")], *, where: Where = HERE
) -> None:
    """Fill an empty database from a backup, of SQLite or PostgreSQL. Stop the server first.

    Example: poolhouse restore poolhouse-2026-11-23.backup
    """
    from poolhouse.storage.backup import restore as read_backup

    settings = settings_of(where)
    if not file.exists():
        raise CommandError(f"{file} does not exist")
    if settings.sqlite_file is not None:
        settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    guarded(lambda: read_backup(settings.database, file))
    print(f"Restored {file}.")
