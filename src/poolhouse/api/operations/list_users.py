"""ListUsers: pages of users, each page at the same cost however many there are (spec/api/05 §1)."""

from poolhouse.api.registry import operation
from poolhouse.core.aliases import names_of
from poolhouse.core.attributes import schema_of
from poolhouse.core.filters import Condition, parse_filter
from poolhouse.core.identities import ATTRIBUTE as IDENTITIES
from poolhouse.core.paging import binding
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.users import describe
from poolhouse.model import InvalidParameterException, ListUsersRequest, ListUsersResponse
from poolhouse.storage import Tx

LARGEST_PAGE = 60
TOKEN_LIFETIME = 3_600_000


@operation
async def list_users(call: AdminCall, request: ListUsersRequest) -> ListUsersResponse:
    """List the users of a pool, those that meet one condition or all.

    Differs from Cognito: a user is listed as soon as the call that made or changed it is answered.
    """
    condition = parse_filter(request.filter)
    bound = binding("ListUsers", request.user_pool_id, request.filter or "")
    after = open_place(call, bound, request.pagination_token, TOKEN_LIFETIME)
    limit = request.limit or LARGEST_PAGE

    def load(tx: Tx) -> tuple[Pool, list[User]]:
        pool = call.pool(tx, request.user_pool_id)
        _check_known(pool, request.attributes_to_get)
        return pool, _find(tx, pool, condition, after, limit + 1)

    pool, users = await call.store.read(load)
    page, names = users[:limit], frozenset(request.attributes_to_get or ()) or None
    token = seal_place(call, bound, *_place_of(pool, condition, page[-1])) if len(users) > limit else None
    return ListUsersResponse(users=[describe(user, names) for user in page], pagination_token=token)


def _check_known(pool: Pool, names: list[str] | None) -> None:
    if not frozenset(names or ()) <= schema_of(pool).keys() | {IDENTITIES}:
        raise InvalidParameterException("One or more requested attributes do not exist in user pool.")


def _find(tx: Tx, pool: Pool, condition: Condition | None, after: tuple[str, ...] | None, limit: int) -> list[User]:
    if condition is None:
        return tx.users.page(pool.id, after=after[-1] if after else None, limit=limit)
    return tx.users.search(
        pool.id,
        condition.attribute,
        condition.value,
        prefix=condition.prefix,
        after=(after[0], after[-1]) if after else None,
        limit=limit,
    )


def _place_of(pool: Pool, condition: Condition | None, user: User) -> tuple[str, ...]:
    """Return the sort key of a user in the list that a condition makes."""
    if condition is None:
        return (user.username,)
    own = {"username": user.username, "sub": user.sub}
    value = own.get(condition.attribute) or names_of(pool, user).search[condition.attribute]
    return (value, user.username)
