"""The dialog **Create user pool** (spec/http/08 §8.2): a few choices, expressed in the API's own calls."""

import contextlib

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from poolhouse.console.pages.applications import TYPES, Application, choices_of, chosen, setup_path, suggested, take
from poolhouse.console.visit import Visit
from poolhouse.core.quick_setup import Choices, Made, domain_prefix, quick_pool
from poolhouse.core.schema import STANDARD_ATTRIBUTES
from poolhouse.model import (
    DeleteUserPoolDomainRequest,
    DeleteUserPoolRequest,
    DeletionProtectionType,
    InvalidParameterException,
    ServiceError,
    UpdateUserPoolRequest,
    UserAttributeUpdateSettingsType,
)

IDENTIFIERS = (("email", "Email"), ("phone_number", "Phone number"), ("username", "Username"))
# ``sub`` and the flags are the service's own; the rest may be asked of people.
NOT_ASKED = frozenset({"sub", "email_verified", "phone_number_verified", "updated_at"})


class People(Struct, frozen=True, kw_only=True):
    """What the dialog shows as chosen about those who sign in."""

    identifiers: list[str]
    self_registration: bool
    required_attributes: list[str]


async def show_form(visit: Visit) -> Response:
    """Show the dialog with the first tile, e-mail and self-registration preselected."""
    people = People(identifiers=["email"], self_registration=True, required_attributes=["email"])
    return _form(visit, suggested(visit), people)


async def create(visit: Visit) -> Response:
    """Make everything that the choices need, then show how to set up the application."""
    application = chosen(visit)
    people = People(
        identifiers=visit.texts("identifiers"),
        self_registration=bool(visit.text("self_registration")),
        required_attributes=visit.texts("required_attributes"),
    )
    made = Made()
    try:
        for step in quick_pool(_choices(visit, application, people)):
            made = await take(visit, step, made)
    except ServiceError as error:
        await _take_back(visit, made)
        return _form(visit, application, people, error=error.message)
    return visit.go(setup_path(made, application))


def _choices(visit: Visit, application: Application, people: People) -> Choices:
    if not set(people.required_attributes) <= set(_attributes()):
        raise InvalidParameterException("Choose required attributes from the list.")
    return replace(
        choices_of(visit, application),
        identifiers=frozenset(people.identifiers),
        required_attributes=frozenset(people.required_attributes),
        self_registration=people.self_registration,
    )


async def _take_back(visit: Visit, made: Made) -> None:
    """Delete a pool whose later steps failed, so that trying again starts afresh."""
    if not made.pool_id:
        return
    unprotected = UpdateUserPoolRequest(
        user_pool_id=made.pool_id,
        deletion_protection=DeletionProtectionType.INACTIVE,
        # An update drops auto-verified attributes, so what depends on them has to go with them.
        user_attribute_update_settings=UserAttributeUpdateSettingsType(
            attributes_require_verification_before_update=[]
        ),
    )
    with contextlib.suppress(ServiceError):
        domain = DeleteUserPoolDomainRequest(user_pool_id=made.pool_id, domain=domain_prefix(made.pool_id))
        await visit.dispatch("DeleteUserPoolDomain", domain)
    await visit.dispatch("UpdateUserPool", unprotected)
    await visit.dispatch("DeleteUserPool", DeleteUserPoolRequest(user_pool_id=made.pool_id))


def _attributes() -> list[str]:
    return [entry.name for entry in STANDARD_ATTRIBUTES if entry.name and entry.name not in NOT_ASKED]


def _form(visit: Visit, application: Application, people: People, error: str = "") -> Response:
    return visit.page(
        "create_pool.html",
        status=400 if error else 200,
        error=error,
        form=application,
        people=people,
        types=TYPES,
        identifiers=IDENTIFIERS,
        attributes=_attributes(),
    )
