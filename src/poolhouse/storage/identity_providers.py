"""Identity providers and their identifiers."""

from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.model import IdentityProviderType
from poolhouse.storage import counts, doomed
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, Row, refuse
from poolhouse.storage.identities import provider_id

_DOCUMENT = Column("identity_providers", "document", IdentityProviderType)


class IdentityProviders:
    """The identity providers of all pools."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, name: str) -> IdentityProvider | None:
        """Return a provider by its name."""
        row = self._sql.row(
            "SELECT name, document, sealed FROM identity_providers WHERE pool_id = :pool_id AND name = :name",
            pool_id=pool_id,
            name=name,
        )
        return None if row is None else _provider(row)

    def find_by_identifier(self, pool_id: str, identifier: str) -> IdentityProvider | None:
        """Return the provider that an identifier belongs to."""
        row = self._sql.row(
            "SELECT p.name, p.document, p.sealed FROM identity_provider_identifiers AS i JOIN identity_providers AS p"
            " ON p.pool_id = i.pool_id AND p.name = i.name"
            " WHERE i.pool_id = :pool_id AND i.identifier = :identifier",
            pool_id=pool_id,
            identifier=identifier,
        )
        return None if row is None else _provider(row)

    def insert(self, provider: IdentityProvider) -> None:
        """Store a new provider; raises AlreadyExists "provider" or "identifier:<identifier>"."""
        doomed.finish(self._sql, "provider", provider_id(provider.pool_id, provider.name))
        added = self._sql.run(
            "INSERT INTO identity_providers (pool_id, name, document, sealed)"
            " VALUES (:pool_id, :name, :document, :sealed) ON CONFLICT DO NOTHING",
            **_values(provider),
        )
        if not added:
            raise refuse(self._sql, "provider")
        self._add_identifiers(provider)
        counts.add(self._sql, f"identity_providers:{provider.pool_id}", 1)
        counts.next_generation(self._sql, provider.pool_id)

    def save(self, provider: IdentityProvider) -> bool:
        """Store a changed provider; False where it is gone. Raises AlreadyExists "identifier:<identifier>"."""
        saved = self._sql.run(
            "UPDATE identity_providers SET document = :document, sealed = :sealed"
            " WHERE pool_id = :pool_id AND name = :name",
            **_values(provider),
        )
        if saved:
            self._drop_identifiers(provider.pool_id, provider.name)
            self._add_identifiers(provider)
            counts.next_generation(self._sql, provider.pool_id)
        return bool(saved)

    def delete(self, pool_id: str, name: str) -> bool:
        """Delete a provider with its identifiers; False where there is none. Clients may still name it.

        What it says of users' identities, however many, goes with later sweeps.
        """
        deleted = self._sql.run(
            "DELETE FROM identity_providers WHERE pool_id = :pool_id AND name = :name", pool_id=pool_id, name=name
        )
        if deleted:
            self._drop_identifiers(pool_id, name)
            doomed.leave(self._sql, "provider", provider_id(pool_id, name))
            counts.add(self._sql, f"identity_providers:{pool_id}", -1)
            counts.next_generation(self._sql, pool_id)
        return bool(deleted)

    def hold(self, pool_id: str, name: str) -> bool:
        """Have a provider stay as long as this transaction runs; False where there is none."""
        held = self._sql.run(
            "UPDATE identity_providers SET name = name WHERE pool_id = :pool_id AND name = :name",
            pool_id=pool_id,
            name=name,
        )
        return bool(held)

    def page(self, pool_id: str, *, after: str | None, limit: int) -> list[IdentityProvider]:
        """Return a pool's providers by name, those after a name."""
        rows = self._sql.rows(
            "SELECT name, document, sealed FROM identity_providers"
            " WHERE pool_id = :pool_id AND name > :after ORDER BY name LIMIT :limit",
            pool_id=pool_id,
            after=after or "",
            limit=limit,
        )
        return [_provider(row) for row in rows]

    def names(self, pool_id: str) -> frozenset[str]:
        """Return the names of all providers of a pool."""
        rows = self._sql.rows("SELECT name FROM identity_providers WHERE pool_id = :pool_id", pool_id=pool_id)
        return frozenset(name for (name,) in rows)

    def count(self, pool_id: str) -> int:
        """Return how many providers a pool has."""
        return counts.total(self._sql, f"identity_providers:{pool_id}")

    def _add_identifiers(self, provider: IdentityProvider) -> None:
        for identifier in provider.settings.idp_identifiers or ():
            added = self._sql.run(
                "INSERT INTO identity_provider_identifiers (pool_id, identifier, name)"
                " VALUES (:pool_id, :identifier, :name) ON CONFLICT DO NOTHING",
                pool_id=provider.pool_id,
                identifier=identifier,
                name=provider.name,
            )
            if not added:
                raise refuse(self._sql, f"identifier:{identifier}")

    def _drop_identifiers(self, pool_id: str, name: str) -> None:
        self._sql.run(
            "DELETE FROM identity_provider_identifiers WHERE pool_id = :pool_id AND name = :name",
            pool_id=pool_id,
            name=name,
        )


def _values(provider: IdentityProvider) -> dict[str, object]:
    return {
        "pool_id": provider.pool_id,
        "name": provider.name,
        "document": _DOCUMENT.encode(provider.settings),
        "sealed": provider.sealed,
    }


def _provider(row: Row) -> IdentityProvider:
    name, document, sealed = row
    return IdentityProvider(settings=_DOCUMENT.decode(document, name), sealed=sealed)
