"""Commands about the database."""

import pathlib

from poolhouse.cli.opened import CommandError, settings_of


def migrate(*, config: str | None = None) -> None:
    """Bring the database to this version's schema. ``serve`` does it too. Example: poolhouse migrate"""
    from poolhouse.app import open_database

    _guarded(lambda: open_database(settings_of(config)).close_now())
    print("The database is up to date.")


def backup(file: pathlib.Path, *, config: str | None = None) -> None:
    """Write a consistent copy of the database while the server runs. It is of no use without the master key.

    Example: poolhouse backup poolhouse-2026-11-23.backup
    """
    from poolhouse.storage.backup import backup as write_backup

    if file.exists():
        raise CommandError(f"{file} exists; choose another name")
    _guarded(lambda: write_backup(settings_of(config).database, file))


def restore(file: pathlib.Path, *, config: str | None = None) -> None:
    """Fill an empty database from a backup. Stop the server first. Example: poolhouse restore poolhouse.backup"""
    from poolhouse.storage.backup import restore as read_backup

    if not file.exists():
        raise CommandError(f"{file} does not exist")
    settings = settings_of(config)
    settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _guarded(lambda: read_backup(settings.database, file))


def _guarded(work: object) -> None:
    from poolhouse.storage.errors import StorageError

    try:
        work()  # type: ignore[operator]
    except (StorageError, OSError) as error:
        raise CommandError(str(error)) from None
