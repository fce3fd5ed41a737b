"""ListUsers: pages of users, each page at the same cost however many there are (spec/api/05 §1)."""

from functools import partial

from poolhouse.api.registry import operation
from poolhouse.core.attributes import schema_of
from poolhouse.core.filters import parse_filter
from poolhouse.core.identities import ATTRIBUTE as IDENTITIES
from poolhouse.core.paging import binding
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.users import show
from poolhouse.model import InvalidParameterException, ListUsersRequest, ListUsersResponse, UserType
from poolhouse.storage import Tx
from poolhouse.storage.user_lists import Place

LARGEST_PAGE = 60
TOKEN_LIFETIME = 3_600_000


@operation
async def list_users(call: AdminCall, request: ListUsersRequest) -> ListUsersResponse:
    """List the users of a pool, those that meet one condition or all.

    Differs from Cognito: a user is listed as soon as the call that made or changed it is answered.
    """
    condition = parse_filter(request.filter)
    bound = binding("ListUsers", request.user_pool_id, request.filter or "")
    place = open_place(call, bound, request.pagination_token, TOKEN_LIFETIME)
    after = (place[0], place[-1]) if place else None
    limit = request.limit or LARGEST_PAGE

    names = frozenset(request.attributes_to_get or ()) or None
    shown = show if names is None else partial(show, names=names)

    def load(tx: Tx) -> tuple[list[UserType], Place | None]:
        pool = call.pool(tx, request.user_pool_id)
        _check_known(pool, names or frozenset())
        if condition is None:
            return tx.user_lists.page(pool.id, shown, after=after, limit=limit)
        return tx.user_lists.search(
            pool.id, condition.attribute, condition.value, shown, prefix=condition.prefix, after=after, limit=limit
        )

    users, end = await call.store.read(load)
    return ListUsersResponse(users=users, pagination_token=seal_place(call, bound, *end) if end else None)


def _check_known(pool: Pool, names: frozenset[str]) -> None:
    if not names <= schema_of(pool).keys() | {IDENTITIES}:
        raise InvalidParameterException("One or more requested attributes do not exist in user pool.")
