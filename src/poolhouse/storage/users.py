"""Users, their sign-in names and the rows that ListUsers searches."""

# ruff: noqa: S608 - the only thing put into SQL here is the list of columns

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.user import NO_FACTORS, Credentials, Factors, Names, User
from poolhouse.model import ConcurrentModificationException, UserStatusType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection, Row, refuse
from poolhouse.storage.errors import CorruptRow

# Sign-ups of neighbouring ids count in different rows.
SHARDS = 16

COLUMNS = (
    "u.id, u.pool_id, u.username, u.sub, u.status, u.enabled,"
    " u.created_at, u.modified_at, u.signed_out_at, u.revision, u.details, u.memberships, u.passkeys"
)
# Tables of rows that go with their user.
_OF_USER = (
    "sessions",
    "sso_sessions",
    "authorization_codes",
    "confirmation_codes",
    "group_members",
    "devices",
    "identities",
    "passkeys",
)


class _Details(Struct, frozen=True, omit_defaults=True, gc=False):
    attributes: dict[str, str]
    credentials: Credentials
    pending: dict[str, str] = {}
    factors: Factors = NO_FACTORS
    disabled_at: int = 0


_DETAILS = Column("users", "details", _Details)
_NAMES = Column("users", "names", Names)
STATUSES = {status.value: status for status in UserStatusType}


class Users:
    """The users of all pools."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find_by_id(self, user_id: int) -> User | None:
        """Return the user with a storage number."""
        return _first(self._sql.row(f"SELECT {COLUMNS} FROM users AS u WHERE u.id = :id", id=user_id))

    def find_by_username(self, pool_id: str, username: str) -> User | None:
        """Return the user with exactly this name, folded already where the pool folds case."""
        sql = f"SELECT {COLUMNS} FROM users AS u WHERE u.pool_id = :pool_id AND u.username = :username"
        return _first(self._sql.row(sql, pool_id=pool_id, username=username))

    def find_by_sub(self, pool_id: str, sub: str) -> User | None:
        """Return the user with a ``sub``."""
        sql = f"SELECT {COLUMNS} FROM users AS u WHERE u.pool_id = :pool_id AND u.sub = :sub"
        return _first(self._sql.row(sql, pool_id=pool_id, sub=sub))

    def find_by_alias(self, pool_id: str, alias: str) -> User | None:
        """Return the user who owns an alias key such as ``email:ann@x.org``."""
        sql = (
            f"SELECT {COLUMNS} FROM user_aliases AS a JOIN users AS u ON u.id = a.user_id"
            " WHERE a.pool_id = :pool_id AND a.alias = :alias"
        )
        return _first(self._sql.row(sql, pool_id=pool_id, alias=alias))

    def lookup(
        self, pool_id: str, username: str | None, sub: str | None, alias_keys: tuple[str, ...] | list[str]
    ) -> User | None:
        """Return the first user found by name, by ``sub``, and by each alias key, in that order."""
        found = None if username is None else self.find_by_username(pool_id, username)
        if found is None and sub is not None:
            found = self.find_by_sub(pool_id, sub)
        for alias in alias_keys:
            if found is not None:
                break
            found = self.find_by_alias(pool_id, alias)
        return found

    def insert(self, user: User, names: Names) -> User:
        """Store a new user; return it with its number.

        Raises AlreadyExists: "username", "sub", or "alias:" and the key.
        """
        row = self._sql.row(
            "INSERT INTO users (pool_id, username, sub, status, enabled, created_at, modified_at, signed_out_at,"
            " revision, details, names) VALUES (:pool_id, :username, :sub, :status, :enabled, :created_at,"
            " :modified_at, :signed_out_at, :revision, :details, :names) ON CONFLICT DO NOTHING RETURNING id",
            pool_id=user.pool_id,
            **new_values(user, names),
        )
        if row is None:
            taken = self.find_by_username(user.pool_id, user.username)
            raise refuse(self._sql, "sub" if taken is None else "username")
        stored = replace(user, id=row[0])
        self._add_aliases(stored, names.aliases)
        for attribute, value in names.search.items():
            self._add_search(stored, attribute, value)
        counts.add(self._sql, f"users:{user.pool_id}", 1, stored.id % SHARDS)
        return stored

    def save(self, user: User, names: Names) -> User:
        """Store a changed user with its index rows; return it with its new revision.

        Raises AlreadyExists "alias:…", and ConcurrentModificationException where somebody else changed or
        deleted the user since it was read.
        """
        before = self._names(user.id)
        saved = self._sql.run(
            "UPDATE users SET status = :status, enabled = :enabled, modified_at = :modified_at,"
            " signed_out_at = :signed_out_at, revision = revision + 1, details = :details, names = :names"
            " WHERE id = :id AND revision = :revision",
            id=user.id,
            revision=user.revision,
            **_values(user, names),
        )
        if not saved:
            raise ConcurrentModificationException("The user was changed by another request. Please retry.")
        self._drop_aliases(user, before.aliases - names.aliases)
        self._add_aliases(user, names.aliases - before.aliases)
        for attribute in before.search.keys() | names.search.keys():
            old, new = before.search.get(attribute), names.search.get(attribute)
            if old != new and old is not None:
                self._drop_search(user, attribute, old)
            if old != new and new is not None:
                self._add_search(user, attribute, new)
        return replace(user, revision=user.revision + 1)

    def save_attributes(self, user: User) -> None:
        """Store changed attributes from which no index rows follow."""
        self._sql.run(
            "UPDATE users SET revision = revision + 1, details = :details WHERE id = :id",
            id=user.id,
            details=_details(user),
        )

    def delete(self, user: User) -> bool:
        """Delete a user with all that belongs to it; False where it is gone already."""
        before = self._names(user.id)
        if not self._sql.run("DELETE FROM users WHERE id = :id", id=user.id):
            return False
        self._drop_aliases(user, before.aliases)
        for attribute, value in before.search.items():
            self._drop_search(user, attribute, value)
        for table in _OF_USER:
            self._sql.run(f"DELETE FROM {table} WHERE user_id = :user_id", user_id=user.id)
        self._sql.run(
            "DELETE FROM auth_events WHERE pool_id = :pool_id AND user_id = :user_id",
            pool_id=user.pool_id,
            user_id=user.id,
        )
        counts.add(self._sql, f"users:{user.pool_id}", -1, user.id % SHARDS)
        return True

    def take_turn(self, user_id: int) -> None:
        """Have what else takes a turn of the same user happen before this transaction, or after it."""
        self._sql.run("UPDATE users SET turns = turns + 1 WHERE id = :id", id=user_id)

    def page(self, pool_id: str, *, after: str | None, limit: int) -> list[User]:
        """Return a pool's users by name, those after a name."""
        rows = self._sql.rows(
            f"SELECT {COLUMNS} FROM users AS u WHERE u.pool_id = :pool_id AND u.username > :after"
            " ORDER BY u.username LIMIT :limit",
            pool_id=pool_id,
            after=after or "",
            limit=limit,
        )
        return [user_of(row) for row in rows]

    def _names(self, user_id: int) -> Names:
        row = self._sql.row("SELECT names FROM users WHERE id = :id", id=user_id)
        return Names(aliases=frozenset(), search={}) if row is None else _NAMES.decode(row[0], user_id)

    def _add_aliases(self, user: User, aliases: frozenset[str]) -> None:
        for alias in sorted(aliases):
            added = self._sql.run(
                "INSERT INTO user_aliases (pool_id, alias, user_id) VALUES (:pool_id, :alias, :user_id)"
                " ON CONFLICT DO NOTHING",
                pool_id=user.pool_id,
                alias=alias,
                user_id=user.id,
            )
            if not added:
                raise refuse(self._sql, f"alias:{alias}")

    def _drop_aliases(self, user: User, aliases: frozenset[str]) -> None:
        for alias in sorted(aliases):
            self._sql.run(
                "DELETE FROM user_aliases WHERE pool_id = :pool_id AND alias = :alias",
                pool_id=user.pool_id,
                alias=alias,
            )

    def _add_search(self, user: User, attribute: str, value: str) -> None:
        self._sql.run(
            "INSERT INTO user_search (pool_id, attribute, value, username, user_id)"
            " VALUES (:pool_id, :attribute, :value, :username, :user_id)",
            pool_id=user.pool_id,
            attribute=attribute,
            value=value,
            username=user.username,
            user_id=user.id,
        )

    def _drop_search(self, user: User, attribute: str, value: str) -> None:
        self._sql.run(
            "DELETE FROM user_search WHERE pool_id = :pool_id AND attribute = :attribute AND value = :value"
            " AND username = :username",
            pool_id=user.pool_id,
            attribute=attribute,
            value=value,
            username=user.username,
        )


def hold(connection: Connection, user_id: int) -> None:
    """Have a user stay as long as this transaction runs, so that what it adds goes when the user does.

    Raises ConcurrentModificationException where the user is gone.
    """
    if not connection.run("UPDATE users SET revision = revision WHERE id = :id", id=user_id):
        raise ConcurrentModificationException("The user was changed by another request. Please retry.")


def user_of(row: Sequence[Any]) -> User:
    """Return the user of a row of COLUMNS; raises CorruptRow."""
    # fmt: off
    (id, pool_id, username, sub, status, enabled, created_at, modified_at, signed_out_at, revision, details,
     memberships, passkeys) = row
    # fmt: on
    known = STATUSES.get(status)
    if known is None:
        raise CorruptRow("users", "status", id)
    document = _DETAILS.decode(details, id)
    return User(
        id=id,
        pool_id=pool_id,
        sub=sub,
        username=username,
        status=known,
        enabled=bool(enabled),
        attributes=document.attributes,
        pending=document.pending,
        credentials=document.credentials,
        factors=document.factors,
        created_at=created_at,
        modified_at=modified_at,
        signed_out_at=signed_out_at,
        disabled_at=document.disabled_at,
        revision=revision,
        memberships=memberships,
        passkeys=passkeys,
    )


def _first(row: Row | None) -> User | None:
    return None if row is None else user_of(row)


def new_values(user: User, names: Names) -> dict[str, object]:
    """Return the columns of a new user, but for its pool."""
    return {
        "username": user.username,
        "sub": user.sub,
        "created_at": user.created_at,
        "revision": user.revision,
        **_values(user, names),
    }


def _values(user: User, names: Names) -> dict[str, object]:
    return {
        "status": user.status.value,
        "enabled": int(user.enabled),
        "modified_at": user.modified_at,
        "signed_out_at": user.signed_out_at,
        "details": _details(user),
        "names": encode(names),
    }


def _details(user: User) -> str:
    details = _Details(
        attributes=user.attributes,
        credentials=user.credentials,
        pending=user.pending,
        factors=user.factors,
        disabled_at=user.disabled_at,
    )
    return encode(details)
