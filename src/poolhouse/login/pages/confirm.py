"""``/confirm`` and ``/resendcode``: the code that was sent after signing up."""

from msgspec.structs import replace

from poolhouse.flows.sign_up import confirm, resend
from poolhouse.login.fields import code_field, place_error
from poolhouse.login.pages.passkeys import is_passkey_open
from poolhouse.login.pages.proof import find_proved, sign_in
from poolhouse.login.session import Confirming, Told
from poolhouse.login.view import Form
from poolhouse.login.visit import Visit
from poolhouse.model import ServiceError
from poolhouse.web.responses import Response


async def show(visit: Visit) -> Response:
    """Show the form; only the sign-up leads here."""
    step = visit.step
    if not isinstance(step, Confirming):
        return visit.leave(visit.sign_in_url)
    notice = None
    if step.resent:
        notice = visit.text("new_code_sent", destination=step.destination or "")
        step = replace(step, resent=False)
    return show_form(visit.at(step), step, notice=notice)


async def submit(visit: Visit) -> Response:
    """Check the code; whoever signed up in this browser is signed in, others may sign in now."""
    step = visit.step
    if not isinstance(step, Confirming):
        return visit.leave(visit.sign_in_url)
    code = visit.given("code")
    if not code:
        return show_form(visit, step, wrong=visit.text("fill_in"))
    try:
        await confirm(visit.call, visit.pool, visit.client, step.username, code, False, None)
    except ServiceError as error:
        sentence = visit.text.say(error.message)
        if place_error(error, ["code"]):
            return show_form(visit, step, wrong=sentence)
        return show_form(visit, step, error=sentence)
    user = await find_proved(visit, step.proof)
    if user is None:
        return visit.move("/login", Told(key="account_confirmed"))
    offering = visit.adding_passkey(is_passkey_open(visit))
    return await sign_in(offering, step.username, user, step.proof.attribute if step.proof else None)


async def send_again(visit: Visit) -> Response:
    """Send another code."""
    step = visit.step
    if not isinstance(step, Confirming):
        return visit.leave(visit.sign_in_url)
    try:
        details = await resend(visit.call, visit.pool, visit.client, step.username, None)
    except ServiceError as error:
        return show_form(visit, step, error=visit.text.say(error.message))
    return visit.move("/confirm", replace(step, destination=details.destination, resent=True))


def show_form(
    visit: Visit, step: Confirming, *, wrong: str = "", error: str | None = None, notice: str | None = None
) -> Response:
    """Return the page that asks for the code; ``wrong`` says what is wrong with it."""
    text = visit.text
    sent = text("code_sent", destination=step.destination) if step.destination else text("code_expected")
    lead = None if notice else sent
    form = Form(
        name="cognitoConfirmForm",
        action=visit.action("/confirm"),
        fields=[code_field(text, error=wrong)],
        button="confirmButton",
        caption=text("confirm_classic" if visit.classic else "confirm"),
    )
    return visit.show(
        "form.html",
        heading=text("confirm_account"),
        lead=lead,
        form=form,
        error=error,
        notice=notice,
        resend=visit.action("/resendcode"),
        sign_in=visit.place.link("/login"),
    )
