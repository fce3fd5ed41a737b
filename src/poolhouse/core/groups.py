"""Groups of users, and what the tokens of their members make of them (spec/api/05 §3)."""

from collections.abc import Iterable

from msgspec import Struct

from poolhouse.model import CreateGroupRequest, GroupType

MAX_GROUPS = 10_000
MAX_GROUPS_OF_USER = 100
# Comes after every precedence, of which 2^31-1 is the greatest.
NO_PRECEDENCE = 2**31


class Group(Struct, frozen=True, kw_only=True):
    """A group of a pool's users.

    ``id`` is the storage's own number, 0 before the first insert. The lowest ``precedence`` counts most; None counts
    least. Times are milliseconds.
    """

    id: int = 0
    pool_id: str
    name: str
    description: str | None = None
    role_arn: str | None = None
    precedence: int | None = None
    created_at: int
    modified_at: int

    @property
    def rank(self) -> int:
        """The precedence as a number in any case."""
        return NO_PRECEDENCE if self.precedence is None else self.precedence

    @property
    def place(self) -> tuple[str, str]:
        """What a user's groups are sorted by: precedence, then name."""
        return f"{self.rank:010}", self.name


def new_group(request: CreateGroupRequest, now: int) -> Group:
    """Return the group that a request asks for."""
    return Group(
        pool_id=request.user_pool_id,
        name=request.group_name,
        description=request.description,
        role_arn=request.role_arn,
        precedence=request.precedence,
        created_at=now,
        modified_at=now,
    )


def roles_of(groups: Iterable[Group]) -> list[str]:
    """Return the roles of groups in their order, each once."""
    return list(dict.fromkeys(group.role_arn for group in groups if group.role_arn is not None))


def find_preferred_role(groups: Iterable[Group]) -> str | None:
    """Return the one role of the groups that count most; None where they have none, or several."""
    groups = tuple(groups)
    first = min((group.rank for group in groups), default=NO_PRECEDENCE)
    roles = roles_of(group for group in groups if group.rank == first)
    return roles[0] if len(roles) == 1 else None


def describe(group: Group) -> GroupType:
    """Return a group as the API shows it."""
    return GroupType(
        group_name=group.name,
        user_pool_id=group.pool_id,
        description=group.description,
        role_arn=group.role_arn,
        precedence=group.precedence,
        creation_date=group.created_at / 1000,
        last_modified_date=group.modified_at / 1000,
    )
