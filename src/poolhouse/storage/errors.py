"""What storage raises. Errors of the database drivers never leave this package."""

from poolhouse.model import TooManyRequestsException


class StorageError(Exception):
    """The database failed or refused; the text names no stored value.

    The transaction is lost: a work function may turn this into another error but not carry on.
    """


class AlreadyExists(StorageError):
    """Something unique is taken. ``what`` names it: "username", "sub", "alias:email:ann@x.org", "client", …"""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what.partition(':')[0]} already exists")
        self.what = what


class CorruptRow(StorageError):
    """A stored value cannot be read."""

    def __init__(self, table: str, column: str, key: object) -> None:
        super().__init__(f"{table}.{column} of row {key!r} cannot be read")
        self.table, self.column, self.key = table, column, key


class SchemaMismatch(StorageError):
    """The database's schema is not one that this program can work with."""


class Busy(TooManyRequestsException, StorageError):
    """The database cannot take the request now, or others kept changing the same rows; trying later may help."""

    @property
    def code(self) -> str:
        """The wire code."""
        return TooManyRequestsException.__name__
