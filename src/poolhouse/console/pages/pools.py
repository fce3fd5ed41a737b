"""The list of user pools, and one pool at a glance."""

from starlette.responses import Response

from poolhouse.console.visit import Visit
from poolhouse.model import (
    ListUserPoolClientsRequest,
    ListUserPoolClientsResponse,
    ListUserPoolsRequest,
    ListUserPoolsResponse,
    UserPoolType,
)

PAGE = 25
SUMMARY_CLIENTS = 12


async def show_pools(visit: Visit) -> Response:
    """List the user pools of a Region."""
    request = ListUserPoolsRequest(max_results=PAGE, next_token=visit.query("page") or None)
    answer = await visit.call("ListUserPools", request, ListUserPoolsResponse)
    return visit.page("pools.html", pools=answer.user_pools or [], next_token=answer.next_token)


async def show_pool(visit: Visit) -> Response:
    """Show what there is to know about a pool."""
    pool = await visit.pool()
    request = ListUserPoolClientsRequest(user_pool_id=visit.pool_id, max_results=SUMMARY_CLIENTS)
    clients = await visit.call("ListUserPoolClients", request, ListUserPoolClientsResponse)
    required = [entry.name for entry in pool.schema_attributes or () if entry.required and entry.name != "sub"]
    return visit.page(
        "overview.html",
        pool=pool,
        section="Overview",
        clients=clients.user_pool_clients or [],
        issuer=visit.issuer(pool),
        base_url=visit.base_url(pool),
        sign_in=sign_in_names(pool),
        required=", ".join(name for name in required if name),
    )


async def show_nothing(visit: Visit) -> Response:
    """Say that there is no such page."""
    return visit.message("Not found", "The console has no such page.", status=404)


def sign_in_names(pool: UserPoolType) -> str:
    """Return what people of a pool type to sign in."""
    labels = {"email": "Email", "phone_number": "Phone number", "preferred_username": "Preferred user name"}
    if pool.username_attributes:
        return ", ".join(labels[name] for name in pool.username_attributes)
    return ", ".join(["User name", *(labels[name] for name in pool.alias_attributes or ())])
