"""What the dialogs **Create user pool** and **Create app client** share: the application (spec/http/08 §8.2)."""

import string
from urllib.parse import urlsplit

from msgspec import Struct

from poolhouse.console.visit import Visit
from poolhouse.core.quick_setup import ApplicationType, Choices, Made, Step
from poolhouse.model import InvalidParameterException

LANDING_PATH = "/console/landing"
SUFFIX_ALPHABET = string.ascii_lowercase + string.digits
TYPES = (
    ("web", ApplicationType.TRADITIONAL_WEB, "Runs on a server and can keep a secret."),
    ("spa", ApplicationType.SINGLE_PAGE, "Runs in the browser; no secret."),
    ("mobile", ApplicationType.MOBILE, "Runs on a phone; no secret."),
    ("machine", ApplicationType.MACHINE_TO_MACHINE, "A program without users, with client credentials."),
)
_KINDS = {value: kind for value, kind, _hint in TYPES}


class Application(Struct, frozen=True, kw_only=True):
    """What a dialog shows as chosen."""

    application_type: str
    client_name: str
    return_url: str


def suggested(visit: Visit) -> Application:
    """Return what is chosen as a dialog opens: the first tile and a name."""
    return Application(application_type="web", client_name=f"My app - {new_suffix(visit)}", return_url="")


def chosen(visit: Visit) -> Application:
    """Return what the form says."""
    return Application(
        application_type=visit.text("application_type"),
        client_name=visit.text("client_name"),
        return_url=visit.text("return_url"),
    )


def new_suffix(visit: Visit) -> str:
    """Return six random characters that make a suggested name unique."""
    return visit.deps.random.text(6, SUFFIX_ALPHABET)


def choices_of(visit: Visit, application: Application) -> Choices:
    """Return the choices behind a form; raises InvalidParameterException."""
    kind = _KINDS.get(application.application_type)
    if kind is None:
        raise InvalidParameterException("Choose the type of your application.")
    if application.return_url and not urlsplit(application.return_url).scheme:
        raise InvalidParameterException(
            f"The return URL {application.return_url} is not absolute. An example: https://app.example/callback."
        )
    return Choices(
        application_type=kind,
        application_name=application.client_name or None,
        return_url=application.return_url or None,
        landing_url=visit.deps.identity.public_url + LANDING_PATH,
        suffix=new_suffix(visit),
    )


def setup_path(made: Made, application: Application) -> str:
    """Return the path of the page that shows how to set up what was made."""
    # By its client alone, a mobile app that returns to a web address looks like a single-page application.
    query = "?application_type=mobile" if application.application_type == "mobile" else ""
    return f"/console/pools/{made.pool_id}/clients/{made.client_id}/setup{query}"


async def take(visit: Visit, step: Step, made: Made) -> Made:
    """Make one call of a dialog; return what is made by now. Raises its ServiceError."""
    return made.after(await visit.dispatch(step.operation, step.request(made)))
