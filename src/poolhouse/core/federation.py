"""What an identity provider says of one of its users, and what becomes of that in the pool (spec/http/06 §6.4)."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Assertion(Struct, frozen=True, kw_only=True):
    """What a provider says of one of its users at one sign-in; signatures, times and addressees are checked.

    ``token_response`` is what the token endpoint answered, ``id_token`` the claims of the ID token in it, ``user_info``
    what the provider's address of attributes answered. A provider without one of them leaves it empty.
    """

    token_response: Mapping[str, Any] = {}
    id_token: Mapping[str, Any] = {}
    user_info: Mapping[str, Any] = {}
