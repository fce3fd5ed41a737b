"""A pool's domain, as stored."""

from msgspec import Struct

from poolhouse.model import DomainDescriptionType


class Domain(Struct, frozen=True, kw_only=True):
    """Where a pool's pages and OAuth endpoints live.

    ``name`` is a prefix, or the full host name where the domain is ``custom``;
    it belongs to one pool of the installation. ``description`` is what DescribeUserPoolDomain answers.
    """

    name: str
    pool_id: str
    custom: bool
    description: DomainDescriptionType
