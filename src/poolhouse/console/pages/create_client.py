"""The dialog **Create app client**: another application for a pool that is there already (spec/http/08 §8.1)."""

import contextlib

from starlette.responses import Response

from poolhouse.console.pages.applications import TYPES, Application, choices_of, chosen, setup_path, suggested, take
from poolhouse.console.visit import Visit
from poolhouse.core.quick_setup import Made, quick_client
from poolhouse.model import DeleteUserPoolClientRequest, ServiceError, UserPoolType


async def show_form(visit: Visit) -> Response:
    """Show the dialog with the first tile preselected."""
    return _form(visit, await visit.pool(), suggested(visit))


async def create(visit: Visit) -> Response:
    """Make the app client, then show how to set up the application."""
    pool, application = await visit.pool(), chosen(visit)
    made = Made(pool_id=visit.pool_id)
    try:
        for step in quick_client(choices_of(visit, application)):
            made = await take(visit, step, made)
    except ServiceError as error:
        await _take_back(visit, made)
        return _form(visit, pool, application, error=error.message)
    return visit.go(setup_path(made, application))


async def _take_back(visit: Visit, made: Made) -> None:
    """Delete a client whose later steps failed, so that trying again starts afresh."""
    if made.client_id:
        with contextlib.suppress(ServiceError):
            request = DeleteUserPoolClientRequest(user_pool_id=made.pool_id, client_id=made.client_id)
            await visit.dispatch("DeleteUserPoolClient", request)


def _form(visit: Visit, pool: UserPoolType, application: Application, error: str = "") -> Response:
    return visit.page(
        "create_client.html",
        status=400 if error else 200,
        pool=pool,
        section="App clients",
        error=error,
        form=application,
        types=TYPES,
    )
