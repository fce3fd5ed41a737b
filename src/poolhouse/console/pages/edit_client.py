"""Editing an app client: its name, and where its users may come back to."""

from msgspec import Struct
from starlette.responses import Response

from poolhouse.console.pages.clients import client_path, describe_client
from poolhouse.console.visit import Visit
from poolhouse.model import ServiceError, UpdateUserPoolClientRequest, UserPoolClientType

# An update sets back what it does not name, so everything else is sent as it is (spec/http/05 §5.1).
_KEPT = frozenset(UpdateUserPoolClientRequest.__struct_fields__) & frozenset(UserPoolClientType.__struct_fields__)


class Form(Struct, frozen=True, kw_only=True):
    """What the form shows; each URL is on a line of its own."""

    client_name: str
    callback_urls: str
    logout_urls: str


async def show_form(visit: Visit) -> Response:
    """Show the form with what is set."""
    client = await describe_client(visit)
    form = Form(
        client_name=client.client_name or "",
        callback_urls="\n".join(client.callback_urls or ()),
        logout_urls="\n".join(client.logout_urls or ()),
    )
    return await _form(visit, client, form)


async def save(visit: Visit) -> Response:
    """Update the client and show it."""
    client = await describe_client(visit)
    form = Form(
        client_name=visit.text("client_name"),
        callback_urls=visit.text("callback_urls"),
        logout_urls=visit.text("logout_urls"),
    )
    changes = {
        "client_name": form.client_name,
        "callback_urls": form.callback_urls.split() or None,
        "logout_urls": form.logout_urls.split() or None,
    }
    settings = {name: getattr(client, name) for name in _KEPT}
    try:
        await visit.dispatch("UpdateUserPoolClient", UpdateUserPoolClientRequest(**settings | changes))
    except ServiceError as error:
        return await _form(visit, client, form, error=error.message)
    return visit.go(client_path(visit, client))


async def _form(visit: Visit, client: UserPoolClientType, form: Form, error: str = "") -> Response:
    return visit.page(
        "edit_client.html",
        status=400 if error else 200,
        pool=await visit.pool(),
        section="App clients",
        error=error,
        form=form,
        client=client,
    )
