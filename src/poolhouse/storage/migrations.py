"""The schema: numbered SQL files, applied once each, in order, and never changed after a release."""

import hashlib
from importlib import resources
from typing import NamedTuple

from poolhouse.storage.engine import Connection, Dialect, translate_schema
from poolhouse.storage.errors import SchemaMismatch

_HISTORY = (
    "CREATE TABLE IF NOT EXISTS schema_history (version {int} PRIMARY KEY, name {text} NOT NULL,"
    " checksum {text} NOT NULL) {strict}"
)


class Step(NamedTuple):
    """One schema file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Tell this text from any other."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_steps() -> tuple[Step, ...]:
    """Return the schema files of this program in order."""
    files = (file for file in resources.files("poolhouse.storage").joinpath("schema").iterdir())
    named = sorted((file.name, file) for file in files if file.name.endswith(".sql"))
    return tuple(Step(int(name[:4]), name.removesuffix(".sql"), file.read_text("utf-8")) for name, file in named)


STEPS = read_steps()


def bring_up(connection: Connection, dialect: Dialect, *, migrate: bool, steps: tuple[Step, ...] | None = None) -> int:
    """Bring a database up to date, inside a transaction that locks out other starters; return how many steps ran.

    Raises SchemaMismatch, also where steps are missing and ``migrate`` is false.
    """
    for statement in translate_schema(dialect, _HISTORY):
        connection.run(statement)
    pending = check(connection, STEPS if steps is None else steps)
    if pending and not migrate:
        raise SchemaMismatch("The database's schema is older than this version of Poolhouse: run `poolhouse migrate`.")
    for step in pending:
        for statement in translate_schema(dialect, step.text):
            connection.run(statement)
        connection.run(
            "INSERT INTO schema_history (version, name, checksum) VALUES (:version, :name, :checksum)",
            version=step.version,
            name=step.name,
            checksum=step.checksum,
        )
    return len(pending)


def check(connection: Connection, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps that a database still lacks.

    Raises SchemaMismatch where the database is newer than this program, or was made by other schema files.
    """
    applied = connection.rows("SELECT version, name, checksum FROM schema_history ORDER BY version")
    if len(applied) > len(steps):
        raise SchemaMismatch(
            f"The database has schema step {applied[-1][1]}, which this version of Poolhouse does not know."
            " Use the version that made it, or a newer one."
        )
    for step, (version, name, checksum) in zip(steps, applied, strict=False):
        if (version, name, checksum) != (step.version, step.name, step.checksum):
            raise SchemaMismatch(
                f"Schema step {name} of the database is not the {step.name} of this version of Poolhouse:"
                " one of them was altered. Restore a backup, or use the version that made the database."
            )
    return steps[len(applied) :]
