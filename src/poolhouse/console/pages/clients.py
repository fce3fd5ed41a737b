"""App clients: the list, one client, and how to set up an application with it."""

from urllib.parse import quote

from starlette.responses import Response

from poolhouse.console.pages.pools import PAGE
from poolhouse.console.snippets import HEADINGS, snippets_for
from poolhouse.console.visit import Visit
from poolhouse.core.client import Client
from poolhouse.model import (
    DescribeUserPoolClientRequest,
    DescribeUserPoolClientResponse,
    ListUserPoolClientsRequest,
    ListUserPoolClientsResponse,
    ResourceNotFoundException,
    UserPoolClientType,
    UserPoolType,
)

# What a client without ExplicitAuthFlows may do (spec/http/05 §5.1).
DEFAULT_AUTH_FLOWS = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")
MINUTE, HOUR, DAY = 60, 3600, 86400


async def show_clients(visit: Visit) -> Response:
    """List the app clients of a pool."""
    pool = await visit.pool()
    request = ListUserPoolClientsRequest(
        user_pool_id=visit.pool_id, max_results=PAGE, next_token=visit.query("page") or None
    )
    answer = await visit.call("ListUserPoolClients", request, ListUserPoolClientsResponse)
    return visit.page(
        "clients.html",
        pool=pool,
        section="App clients",
        clients=answer.user_pool_clients or [],
        next_token=answer.next_token,
    )


async def show_client(visit: Visit) -> Response:
    """Show an app client; its secret stays folded away until it is asked for."""
    pool, client = await visit.pool(), await describe_client(visit)
    terms = Client(id=client.client_id or "", pool_id=visit.pool_id, settings=client)
    return visit.page(
        "client.html",
        pool=pool,
        section="App clients",
        client=client,
        login_url=login_url(visit, pool, client),
        base_url=visit.base_url(pool),
        flows=client.explicit_auth_flows or DEFAULT_AUTH_FLOWS,
        access_token=duration(terms.access_token_seconds),
        id_token=duration(terms.id_token_seconds),
        refresh_token=duration(terms.refresh_token_seconds),
    )


async def show_setup(visit: Visit) -> Response:
    """Show code that signs people in with this client."""
    pool, client = await visit.pool(), await describe_client(visit)
    kind = application_type(client)
    if kind == "spa" and visit.query("application_type") == "mobile":
        kind = "mobile"
    issuer, base_url = visit.issuer(pool), visit.base_url(pool)
    ready = base_url is not None and bool(client.allowed_oauth_flows)
    return visit.page(
        "setup_application.html",
        pool=pool,
        section="App clients",
        client=client,
        heading=HEADINGS[kind],
        issuer=issuer,
        login_url=login_url(visit, pool, client),
        base_url=base_url,
        snippets=snippets_for(kind, client, issuer=issuer, base_url=base_url or "") if ready else [],
    )


def application_type(client: UserPoolClientType) -> str:
    """Return the kind of application that a client looks made for (spec/http/08 §8.3.2)."""
    if "client_credentials" in (client.allowed_oauth_flows or ()):
        return "machine"
    if client.client_secret:
        return "web"
    callback = (client.callback_urls or [""])[0]
    return "spa" if callback.startswith(("http:", "https:")) or not callback else "mobile"


def login_url(visit: Visit, pool: UserPoolType, client: UserPoolClientType) -> str | None:
    """Return the URL behind **View login page**, parameters in the order of spec/http/08 §8.5."""
    base_url = visit.base_url(pool)
    if base_url is None or not client.callback_urls or "code" not in (client.allowed_oauth_flows or ()):
        return None
    scope = "+".join(quote(scope, safe="") for scope in client.allowed_oauth_scopes or ())
    callback = quote(client.callback_urls[0], safe="")
    return f"{base_url}/login?client_id={client.client_id}&response_type=code&scope={scope}&redirect_uri={callback}"


def duration(seconds: int) -> str:
    """Return a time span in its largest whole unit."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds % unit == 0:
            count = seconds // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


async def describe_client(visit: Visit) -> UserPoolClientType:
    """Return the client in the path; raises ResourceNotFoundException."""
    client_id = str(visit.request.path_params["client_id"])
    request = DescribeUserPoolClientRequest(user_pool_id=visit.pool_id, client_id=client_id)
    answer = await visit.call("DescribeUserPoolClient", request, DescribeUserPoolClientResponse)
    if answer.user_pool_client is None:
        raise ResourceNotFoundException(f"User pool client {client_id} does not exist.")
    return answer.user_pool_client


def client_path(visit: Visit, client: UserPoolClientType) -> str:
    """Return the path of a client's page."""
    return f"/console/pools/{visit.pool_id}/clients/{client.client_id}"
