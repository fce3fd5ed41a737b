"""The dialog **Create user pool** (spec/http/08 §8.2): a few choices, expressed in the API's own calls."""

import contextlib
import string
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.responses import Response

from poolhouse.console.visit import Visit
from poolhouse.core.quick_setup import ApplicationType, Choices, Made, domain_prefix, quick_pool
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

LANDING_PATH = "/console/landing"
SUFFIX_ALPHABET = string.ascii_lowercase + string.digits
TYPES = (
    ("web", ApplicationType.TRADITIONAL_WEB, "Runs on a server and can keep a secret."),
    ("spa", ApplicationType.SINGLE_PAGE, "Runs in the browser; no secret."),
    ("mobile", ApplicationType.MOBILE, "Runs on a phone; no secret."),
    ("machine", ApplicationType.MACHINE_TO_MACHINE, "A program without users, with client credentials."),
)
IDENTIFIERS = (("email", "Email"), ("phone_number", "Phone number"), ("username", "Username"))
# ``sub`` and the flags are the service's own; the rest may be asked of people.
NOT_ASKED = frozenset({"sub", "email_verified", "phone_number_verified", "updated_at"})


class Form(Struct, frozen=True, kw_only=True):
    """What the dialog shows as chosen."""

    application_type: str
    client_name: str
    identifiers: list[str]
    self_registration: bool
    required_attributes: list[str]
    return_url: str


async def show_form(visit: Visit) -> Response:
    """Show the dialog with the first tile, e-mail and self-registration preselected."""
    suffix = visit.deps.random.text(6, SUFFIX_ALPHABET)
    form = Form(
        application_type="web",
        client_name=f"My web app - {suffix}",
        identifiers=["email"],
        self_registration=True,
        required_attributes=["email"],
        return_url="",
    )
    return _form(visit, form)


async def create(visit: Visit) -> Response:
    """Make everything that the choices need, then show how to set up the application."""
    form = Form(
        application_type=visit.text("application_type"),
        client_name=visit.text("client_name"),
        identifiers=visit.texts("identifiers"),
        self_registration=bool(visit.text("self_registration")),
        required_attributes=visit.texts("required_attributes"),
        return_url=visit.text("return_url"),
    )
    made = Made()
    try:
        for step in quick_pool(_choices(visit, form)):
            request = step.request(made)
            made = made.after(await visit.dispatch(step.operation, request))
    except ServiceError as error:
        await _take_back(visit, made)
        return _form(visit, form, error=error.message)
    return visit.go(f"/console/pools/{made.pool_id}/clients/{made.client_id}/setup")


def _choices(visit: Visit, form: Form) -> Choices:
    kinds = {value: kind for value, kind, _hint in TYPES}
    if form.application_type not in kinds:
        raise InvalidParameterException("Choose the type of your application.")
    if not set(form.required_attributes) <= set(_attributes()):
        raise InvalidParameterException("Choose required attributes from the list.")
    if form.return_url and not urlsplit(form.return_url).scheme:
        raise InvalidParameterException("The return URL must be absolute, for example https://app.example/callback.")
    return Choices(
        application_type=kinds[form.application_type],
        identifiers=frozenset(form.identifiers),
        required_attributes=frozenset(form.required_attributes),
        self_registration=form.self_registration,
        application_name=form.client_name or None,
        return_url=form.return_url or None,
        landing_url=visit.deps.identity.public_url + LANDING_PATH,
        suffix=visit.deps.random.text(6, SUFFIX_ALPHABET),
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


def _form(visit: Visit, form: Form, error: str = "") -> Response:
    return visit.page(
        "create_pool.html",
        status=400 if error else 200,
        error=error,
        form=form,
        types=TYPES,
        identifiers=IDENTIFIERS,
        attributes=_attributes(),
    )
