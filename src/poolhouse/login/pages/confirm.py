"""``/confirm`` and ``/resendcode``: the code, or the link, that was sent after signing up.

Differs from Cognito (sign-up pages): where the mail holds a link, ``/confirm`` asks to open it rather than for a code,
and goes on to the application once it was opened, wherever that was.
"""

from msgspec.structs import replace

from poolhouse.core.messages import is_link_sure
from poolhouse.core.user import User
from poolhouse.flows.sign_up import confirm, resend
from poolhouse.login.fields import code_field, place_error
from poolhouse.login.pages.passkeys import is_passkey_open
from poolhouse.login.pages.proof import find_proved, sign_in
from poolhouse.login.session import Confirming, Told
from poolhouse.login.view import Form
from poolhouse.login.visit import Visit
from poolhouse.model import CodeDeliveryDetailsType, ServiceError, UserStatusType
from poolhouse.web.responses import Response


async def show(visit: Visit) -> Response:
    """Show the form; only the sign-up leads here."""
    step = visit.step
    if not isinstance(step, Confirming):
        return visit.leave(visit.sign_in_url)
    notice = None
    if step.resent:
        notice = visit.text("new_link_sent" if step.linked else "new_code_sent", destination=step.destination or "")
        step = replace(step, resent=False)
    return show_form(visit.at(step), step, notice=notice)


async def submit(visit: Visit) -> Response:
    """Check the code; whoever signed up in this browser is signed in, others may sign in now."""
    step = visit.step
    if not isinstance(step, Confirming):
        return visit.leave(visit.sign_in_url)
    if step.linked:
        return await _go_on(visit, step)
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
    return await _sign_in(visit, step, user, step.proof.attribute if step.proof else None)


async def _go_on(visit: Visit, step: Confirming) -> Response:
    """Sign in whoever signed up in this browser, if the link was opened meanwhile.

    Who opened it is not known here, nor whether it was not an administrator who confirmed: it stands for no factor.
    """
    proof = step.proof
    user = await find_proved(visit, proof)
    if user is not None:
        return await _sign_in(visit, step, user, None)
    if proof is not None:
        found = await visit.call.store.read(lambda tx: tx.users.find_by_sub(visit.pool.id, proof.sub))
        if found is not None and found.status == UserStatusType.UNCONFIRMED:
            return show_form(visit, step, error=visit.text("link_not_opened"))
    return visit.leave(visit.sign_in_url)


async def _sign_in(visit: Visit, step: Confirming, user: User, confirmed_by: str | None) -> Response:
    return await sign_in(visit.adding_passkey(is_passkey_open(visit)), step.username, user, confirmed_by)


async def send_again(visit: Visit) -> Response:
    """Send another code."""
    step = visit.step
    if not isinstance(step, Confirming):
        return visit.leave(visit.sign_in_url)
    try:
        details = await resend(visit.call, visit.pool, visit.client, step.username, None)
    except ServiceError as error:
        return show_form(visit, step, error=visit.text.say(error.message))
    return visit.move("/confirm", replace(await_message(visit, step, details), resent=True))


def await_message(visit: Visit, step: Confirming, sent: CodeDeliveryDetailsType) -> Confirming:
    """Return the step of whoever waits for the message that has just left."""
    return replace(step, destination=sent.destination, linked=is_link_sure(visit.pool, sent.delivery_medium))


def show_form(
    visit: Visit, step: Confirming, *, wrong: str = "", error: str | None = None, notice: str | None = None
) -> Response:
    """Return the page that asks for the code; ``wrong`` says what is wrong with it. Or for opening the link."""
    text, what = visit.text, "link" if step.linked else "code"
    sent = text(f"{what}_sent", destination=step.destination) if step.destination else text(f"{what}_expected")
    lead = None if notice else sent
    caption = text("confirm_classic" if visit.classic else "confirm")
    form = Form(
        name="cognitoConfirmForm",
        action=visit.action("/confirm"),
        fields=[] if step.linked else [code_field(text, error=wrong)],
        button="confirmButton",
        caption=text("next") if step.linked else caption,
    )
    return visit.show(
        "form.html",
        heading=text("confirm_account"),
        lead=lead,
        # Without a proof there is nothing to go on to but the page that the link below leads to.
        form=None if step.linked and step.proof is None else form,
        error=error,
        notice=notice,
        resend=visit.action("/resendcode"),
        linked=step.linked,
        sign_in=visit.place.link("/login"),
    )
