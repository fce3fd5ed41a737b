"""An access key of the JSON API, as stored."""

from msgspec import Struct


class AccessKey(Struct, frozen=True, kw_only=True):
    """What SigV4 requests are signed with. ``sealed_secret`` is sealed with the master key.

    ``created_at`` is in milliseconds. A key that is not ``enabled`` signs nothing.
    """

    id: str
    name: str
    sealed_secret: bytes
    created_at: int
    enabled: bool = True
