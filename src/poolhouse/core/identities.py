"""Who a user is at identity providers, and the attribute and claim ``identities`` (spec/http/04 §4.2.2)."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

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


def with_identities(attributes: Mapping[str, str], shown: Iterable[Shown]) -> dict[str, str]:
    """Return a user's attributes with these identities in place of earlier ones; without any, the attribute goes.

    The one that the user came into being with stays, also where its provider is gone.
    """
    others = {name: value for name, value in attributes.items() if name != ATTRIBUTE}
    listed = list(shown)
    if not any(each.primary for each in listed):
        listed = [each for each in _shown(attributes) if each.primary] + listed
    return others | {ATTRIBUTE: msgspec.json.encode(listed).decode()} if listed else others


def without_provider(attributes: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a user's attributes without what was linked at a provider."""
    return with_identities(attributes, [shown for shown in _shown(attributes) if shown.provider_name != name])


def is_profile(attributes: Mapping[str, str]) -> bool:
    """Tell whether these are attributes of a user who came into being by signing in at a provider."""
    return any(shown.primary for shown in _shown(attributes))


def is_known_by(attributes: Mapping[str, str], identity: Shown) -> bool:
    """Tell whether these are attributes of the user who came into being with an identity."""
    return any(replace(shown, date_created=identity.date_created) == identity for shown in _shown(attributes))


def _shown(attributes: Mapping[str, str]) -> list[Shown]:
    return _DECODER.decode(attributes[ATTRIBUTE]) if ATTRIBUTE in attributes else []


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
