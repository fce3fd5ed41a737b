"""Who a user is at identity providers, and the attribute and claim ``identities`` (spec/http/04 §4.2.2)."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

ATTRIBUTE = "identities"


class Identity(Struct, frozen=True, kw_only=True):
    """What a provider says of one user of ours: an attribute, by the pool's name for it, and its exact value.

    ``primary`` marks the identity that the user came into being with; the others were linked. ``created_at`` is in
    milliseconds.
    """

    pool_id: str
    provider: str
    attribute: str
    value: str
    user_id: int
    primary: bool = False
    created_at: int


class Shown(Struct, frozen=True, kw_only=True, rename="camel"):
    """An identity as the attribute shows it. ``issuer`` is None for social providers."""

    user_id: str
    provider_name: str
    provider_type: str | None
    issuer: str | None
    primary: bool
    date_created: int


_DECODER = msgspec.json.Decoder(list[Shown])


def with_identities(attributes: dict[str, str], shown: Iterable[Shown]) -> dict[str, str]:
    """Return a user's attributes with these identities in place of earlier ones; without any, the attribute goes."""
    others = {name: value for name, value in attributes.items() if name != ATTRIBUTE}
    listed = list(shown)
    return others | {ATTRIBUTE: msgspec.json.encode(listed).decode()} if listed else others


def without_provider(attributes: dict[str, str], name: str) -> dict[str, str]:
    """Return a user's attributes without the identities at a provider."""
    kept = (shown for shown in _DECODER.decode(attributes.get(ATTRIBUTE, "[]")) if shown.provider_name != name)
    return with_identities(attributes, kept)


def identities_claim(attribute: str) -> list[dict[str, str | None]]:
    """Return the claim for the attribute: every value in it is a string."""
    return [
        {
            "userId": shown.user_id,
            "providerName": shown.provider_name,
            "providerType": shown.provider_type,
            "issuer": shown.issuer,
            "primary": "true" if shown.primary else "false",
            "dateCreated": str(shown.date_created),
        }
        for shown in _DECODER.decode(attribute)
    ]
