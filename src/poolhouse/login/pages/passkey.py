"""Signing in with a passkey: the one page that needs a script (WebAuthn Level 2 §5)."""

from poolhouse.login.session import Asking
from poolhouse.login.view import Button
from poolhouse.login.visit import Visit
from poolhouse.web.responses import Response


def show_form(visit: Visit, step: Asking, options: str) -> Response:
    """Return the page that has the browser ask for a passkey; ``options`` are those of the challenge, in JSON."""
    text = visit.text
    others = [Button("otherOptionsButton", text("other_options"))] if len(step.choices) > 1 else []
    return visit.show(
        "passkey.html",
        heading=text("passkey_heading"),
        lead=text("passkey_lead"),
        ceremony="get",
        options=options,
        action=visit.action("/challenge"),
        caption=text("passkey_button"),
        failed=text("passkey_failed"),
        others=others,
        others_action=visit.action("/challenge"),
        sign_in=visit.place.link("/login"),
    )
