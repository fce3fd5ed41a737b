"""Users and their identities at providers: finding the user of one, and keeping what users show of theirs."""

from collections.abc import Mapping

from msgspec.structs import replace

from poolhouse.core.identities import with_identities
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.core.provider_links import NAMED_BY_ATTRIBUTES, SUBJECT, show
from poolhouse.core.user import User
from poolhouse.flows.users import save_user
from poolhouse.storage import Tx


def find_user_of(tx: Tx, provider: IdentityProvider, subject: str, attributes: Mapping[str, str]) -> User | None:
    """Return the user who a provider's user is here: the one it became, or was linked to (spec/http/06 §6.4).

    ``subject`` is what the provider names its user by, ``attributes`` is what it says of that user, by the pool's
    names and exactly. The subject counts first, then the attributes in the order of their names.
    """
    named = [(SUBJECT, subject)]
    if provider.settings.provider_type in NAMED_BY_ATTRIBUTES:
        named += sorted(attributes.items())
    for attribute, value in named:
        identity = tx.identities.find(provider.pool_id, provider.name, attribute, value)
        if identity is not None:
            return tx.users.find_by_id(identity.user_id)
    return None


def show_identities(tx: Tx, pool: Pool, user: User, now: int) -> User:
    """Bring the attribute ``identities`` of a user in line with what is stored."""
    held = ((each, tx.identity_providers.find(pool.id, each.provider)) for each in tx.identities.of_user(user.id))
    # What a deleted provider said is not swept yet.
    shown = [show(identity, provider) for identity, provider in held if provider is not None]
    present = tx.users.find_by_id(user.id) or user
    return save_user(tx, pool, replace(present, attributes=with_identities(present.attributes, shown), modified_at=now))
