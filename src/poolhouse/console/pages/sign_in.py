"""Coming and going: the return from the login page, signing out, and an operator's first visit."""

from starlette.responses import RedirectResponse, Response

from poolhouse.console.visit import Visit
from poolhouse.flows import operators
from poolhouse.model import ServiceError


async def callback(visit: Visit) -> Response:
    """Take the code that managed login sent and begin the session."""
    response = RedirectResponse("/console/", 302)
    response.headers["location"] = await visit.principal.finish(visit.request, response)
    return response


async def sign_out(visit: Visit) -> Response:
    """End the operator's sessions, here and at managed login."""
    response = RedirectResponse("/console/", 303)
    response.headers["location"] = await visit.principal.sign_out(visit.operator, response)
    return response


async def signed_out(visit: Visit) -> Response:
    """Say that the operator is signed out."""
    return visit.message("You are signed out", "See you soon.", link=("Sign in", "/console/"))


async def show_how_to_begin(visit: Visit) -> Response:
    """Say how the first operator gets in."""
    return visit.message(
        "There is no operator yet",
        "The first one comes by the link that the server printed when it started. This command prints another link:",
        status=403,
        detail="poolhouse operators invite",
        link=("Try again", "/console/"),
    )


async def show_expired(visit: Visit) -> Response:
    """Say that a form was not made for this session."""
    return visit.message("This form has expired", "Go back, reload the page and try again.", status=403)


async def show_welcome(visit: Visit) -> Response:
    """Let the holder of a set-up link choose how to sign in."""
    token = visit.query("token")
    operators.open_invitation(visit.deps, token)
    return visit.page("welcome.html", token=token, email="")


async def welcome(visit: Visit) -> Response:
    """Make the operator that a set-up link allows."""
    token, email = visit.text("token"), visit.text("email")
    invitation = operators.open_invitation(visit.deps, token)
    try:
        await operators.create_operator(visit.deps, email, visit.text("password"), spend=invitation.nonce)
    except ServiceError as error:
        return visit.page("welcome.html", status=400, token=token, email=email, error=error.message)
    return visit.go("/console/")


async def landing(visit: Visit) -> Response:
    """Stand in for the application of a client that was made without a return URL: show what came back."""
    code, error = visit.query("code"), visit.query("error")
    if error:
        return visit.message("The sign-in came back with an error", visit.query("error_description"), detail=error)
    if not code:
        return visit.message("Nothing came back", "This page shows the authorization code after a sign-in.")
    return visit.message(
        "You are signed in",
        "Your application would now exchange this authorization code for tokens at /oauth2/token:",
        detail=code,
    )
