"""What this machine can do at most: the yardsticks. Each runs for a moment on the core that the server uses."""

import pathlib
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import NamedTuple

import argon2
import psycopg
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

_KEY = rsa.generate_private_key(65537, 2048)
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_HASH = _HASHER.hash("password")
_MESSAGE = b"x" * 600


class Speed(NamedTuple):
    """How often something can be done per second, and per second of processor time."""

    rate: float
    cpu_rate: float


def per_second(work: Callable[[], object], seconds: float) -> Speed:
    """Repeat ``work`` for some seconds; return how often it ran."""
    began, cpu_began, count = time.perf_counter(), time.process_time(), 0
    while (elapsed := time.perf_counter() - began) < seconds:
        work()
        count += 1
    return Speed(count / elapsed, count / max(time.process_time() - cpu_began, 1e-9))


def rsa_signatures(seconds: float = 1.0) -> Speed:
    """RSA-2048 signatures per second."""
    return per_second(lambda: _KEY.sign(_MESSAGE, PKCS1v15(), SHA256()), seconds)


def typical_signature(count: int = 1000) -> float:
    """Processor seconds of one RSA-2048 signature; half of them take less."""
    taken = []
    for _ in range(count):
        began = time.process_time()
        _KEY.sign(_MESSAGE, PKCS1v15(), SHA256())
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def argon2_hashes(seconds: float = 2.0) -> Speed:
    """Argon2id verifications per second, at the server's own cost."""
    return per_second(lambda: _HASHER.verify(_HASH, "password"), seconds)


def sqlite_commits(seconds: float = 1.0) -> Speed:
    """Durable commits of one row per second, SQLite with WAL and synchronous=FULL."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(pathlib.Path(folder) / "limit.db", isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (a INTEGER)")
        rate = per_second(lambda: connection.execute("INSERT INTO t VALUES (1)"), seconds)
        connection.close()
        return rate


def make_durable(url: str) -> None:
    """Let the tests' PostgreSQL reach the disk, as a real one does; the tests themselves do without."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = on")
        connection.execute("SELECT pg_reload_conf()")


def postgres_commits(url: str, seconds: float = 1.0) -> Speed:
    """Durable commits of one row per second, PostgreSQL with one client."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_limit (a INTEGER)")
        rate = per_second(lambda: connection.execute("INSERT INTO bench_limit VALUES (1)"), seconds)
        connection.execute("DROP TABLE bench_limit")
        return rate
