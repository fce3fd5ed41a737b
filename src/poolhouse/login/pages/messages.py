"""Pages that only say something: ``/error``, ``/confirmUser``, and why there is no sign-in page."""

from poolhouse.core.parameters import Parameters
from poolhouse.flows.sign_up import confirm
from poolhouse.login.visit import Place
from poolhouse.model import ServiceError, UserStatusType
from poolhouse.web.responses import Response

# Whoever makes the link chooses the text, so it is kept short; it is shown as text in any case.
MAX_TEXT = 300
# Of NotAuthorizedException, for a link that was opened before (flows.sign_up).
ALREADY_CONFIRMED = f"User cannot be confirmed. Current status is {UserStatusType.CONFIRMED}"


def show_error(place: Place, parameters: Parameters) -> Response:
    """Return the page that says what was wrong with a request (spec/http/03 §3.9)."""
    described = parameters.get("error_description") or parameters.get("error")
    return place.show(
        "message.html",
        status=400,
        heading=place.texts("error_heading"),
        lead=place.texts("requested_page"),
        detail=described[:MAX_TEXT] if described else None,
    )


def show_unavailable(place: Place) -> Response:
    """Return the page of a managed domain for a client without a style (spec/http/03 §3.1)."""
    return place.show(
        "message.html",
        status=403,
        heading=place.texts("unavailable_heading"),
        lead=place.texts("unavailable"),
    )


def show_trouble(place: Place, status: int) -> Response:
    """Return the page that says that something went wrong, and no more."""
    return place.show(
        "message.html", status=status, heading=place.texts("error_heading"), lead=place.texts("something_wrong")
    )


async def confirm_user(place: Place, parameters: Parameters) -> Response:
    """Confirm the user of a link that was sent by mail (spec/http/03 §3.4)."""
    names = ("client_id", "user_name", "confirmation_code")
    client_id, username, code = (parameters.get(name) or "" for name in names)
    pool = place.domain.pool
    app = await place.call.store.read(lambda tx: tx.catalogue.find_app(client_id))
    if app is None or app[0].id != pool.id:
        return _show_unconfirmed(place, "Client does not exist.")
    try:
        await confirm(place.call, pool, app[1], username, code, False, None)
    except ServiceError as error:
        if error.message == ALREADY_CONFIRMED:
            # Programs that test mail open its links before people do.
            return place.show(
                "message.html",
                status=400,
                heading=place.texts("confirmed_heading"),
                lead=place.texts("account_confirmed"),
            )
        return _show_unconfirmed(place, error.message)
    return place.show("message.html", heading=place.texts("confirmed_heading"), lead=place.texts("confirmed"))


def _show_unconfirmed(place: Place, reason: str) -> Response:
    return place.show(
        "message.html",
        status=400,
        heading=place.texts("not_confirmed_heading"),
        lead=place.texts.say(reason),
    )
