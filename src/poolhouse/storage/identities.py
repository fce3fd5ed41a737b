"""Which user of ours a provider's users are."""

# ruff: noqa: S608 - the only thing put into SQL here is the list of columns

from msgspec.structs import replace

from poolhouse.core.identities import Identity, without_provider
from poolhouse.storage.engine import Connection, Row, refuse
from poolhouse.storage.users import Users, hold

_COLUMNS = "pool_id, provider, attribute, value, user_id, is_primary, created_at"
_ONE = "pool_id = :pool_id AND provider = :provider AND attribute = :attribute AND value = :value"


class Identities:
    """The identities of all users at the providers of their pools."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, provider: str, attribute: str, value: str) -> Identity | None:
        """Return the identity with exactly this value of an attribute at a provider."""
        row = self._sql.row(
            f"SELECT {_COLUMNS} FROM identities WHERE {_ONE}",
            pool_id=pool_id,
            provider=provider,
            attribute=attribute,
            value=value,
        )
        return None if row is None else _identity(row)

    def insert(self, identity: Identity) -> None:
        """Store a new identity; raises AlreadyExists "identity"; ConcurrentModificationException without its user."""
        hold(self._sql, identity.user_id)
        added = self._sql.run(
            f"INSERT INTO identities ({_COLUMNS}) VALUES (:pool_id, :provider, :attribute, :value, :user_id,"
            " :is_primary, :created_at) ON CONFLICT DO NOTHING",
            user_id=identity.user_id,
            is_primary=int(identity.primary),
            created_at=identity.created_at,
            **_key(identity),
        )
        if not added:
            raise refuse(self._sql, "identity")

    def delete(self, identity: Identity) -> bool:
        """Delete an identity; False where it is gone already."""
        return bool(self._sql.run(f"DELETE FROM identities WHERE {_ONE}", **_key(identity)))

    def of_user(self, user_id: int) -> list[Identity]:
        """Return a user's identities, a handful, in the order in which they came."""
        rows = self._sql.rows(f"SELECT {_COLUMNS} FROM identities WHERE user_id = :user_id", user_id=user_id)
        return sorted(map(_identity, rows), key=lambda each: (each.created_at, each.provider, each.attribute))

    def attributes(self, pool_id: str, provider: str, limit: int) -> list[str]:
        """Return the attributes, ``limit`` at most, that identities at a provider are told by."""
        found: list[str] = []
        # One step of the index for each, however many identities there are.
        while len(found) < limit:
            row = self._sql.row(
                "SELECT attribute FROM identities WHERE pool_id = :pool_id AND provider = :provider"
                " AND attribute > :after ORDER BY attribute LIMIT 1",
                pool_id=pool_id,
                provider=provider,
                after=found[-1] if found else "",
            )
            if row is None:
                break
            found.append(row[0])
        return found


def provider_id(pool_id: str, name: str) -> str:
    """Return the text that a provider is known by once it is deleted."""
    return f"{pool_id}/{name}"


def unlink_first(connection: Connection, id: str, limit: int) -> int:
    """Remove the first identities at a deleted provider, from their users' attributes as well; return how many."""
    pool_id, _, provider = id.partition("/")
    rows = connection.rows(
        f"SELECT {_COLUMNS} FROM identities WHERE pool_id = :pool_id AND provider = :provider"
        " ORDER BY attribute, value LIMIT :limit",
        pool_id=pool_id,
        provider=provider,
        limit=limit,
    )
    users = Users(connection)
    for identity in map(_identity, rows):
        connection.run(f"DELETE FROM identities WHERE {_ONE}", **_key(identity))
        user = users.find_by_id(identity.user_id)
        if user is not None:
            users.save_attributes(replace(user, attributes=without_provider(user.attributes, provider)))
    return len(rows)


def _key(identity: Identity) -> dict[str, object]:
    return {
        "pool_id": identity.pool_id,
        "provider": identity.provider,
        "attribute": identity.attribute,
        "value": identity.value,
    }


def _identity(row: Row) -> Identity:
    pool_id, provider, attribute, value, user_id, is_primary, created_at = row
    return Identity(
        pool_id=pool_id,
        provider=provider,
        attribute=attribute,
        value=value,
        user_id=user_id,
        primary=bool(is_primary),
        created_at=created_at,
    )
