"""``/challenge`` and ``/mfa``: what a sign-in asks beyond name and password, first and second factors alike.

What is asked, and what an answer is worth, is for ``flows.sign_in`` to say; a page shows the step that the browser's
sealed state holds, and hands the answer on.
"""

from msgspec.structs import replace

from poolhouse.login.fields import code_field
from poolhouse.login.pages import enrol
from poolhouse.login.pages.options import option_buttons
from poolhouse.login.pages.proceed import cannot_go_on, is_over, path_of, proceed, reply
from poolhouse.login.pages.sign_in import show_form as show_sign_in
from poolhouse.login.session import Asking
from poolhouse.login.view import Button, Form
from poolhouse.login.visit import Visit
from poolhouse.model import ChallengeNameType as Challenge
from poolhouse.model import (
    CodeMismatchException,
    EnableSoftwareTokenMFAException,
    ExpiredCodeException,
    InvalidUserPoolConfigurationException,
    ServiceError,
)
from poolhouse.web.responses import Response

# The name that each code is answered under.
_CODES = {
    Challenge.SMS_OTP: "SMS_OTP_CODE",
    Challenge.SMS_MFA: "SMS_MFA_CODE",
    Challenge.EMAIL_OTP: "EMAIL_OTP_CODE",
    Challenge.SOFTWARE_TOKEN_MFA: "SOFTWARE_TOKEN_MFA_CODE",
}
_CHOICES = frozenset({Challenge.SELECT_CHALLENGE, Challenge.SELECT_MFA_TYPE})


async def show(visit: Visit) -> Response:
    """Show what is asked; only the sign-in leads here."""
    step = visit.step
    if not isinstance(step, Asking):
        return visit.leave(visit.sign_in_url)
    notice = visit.text("new_code_sent", destination=step.destination) if step.resent else None
    step = replace(step, resent=False)
    return _show(visit.at(step), step, notice=notice)


async def submit(visit: Visit) -> Response:
    """Take an answer, or the wish for another code or another choice."""
    step = visit.step
    if not isinstance(step, Asking):
        return visit.leave(visit.sign_in_url)
    try:
        return await _take(visit, step)
    except InvalidUserPoolConfigurationException:
        return cannot_go_on(visit)
    except ServiceError as error:
        return _refused(visit, step, error)


async def _take(visit: Visit, step: Asking) -> Response:
    form = visit.form
    if "otherOptionsButton" in form:
        choice = Challenge.SELECT_CHALLENGE if step.is_first else Challenge.SELECT_MFA_TYPE
        return visit.move(path_of(step), replace(step, challenge=choice, destination="", device=""))
    if step.enrolling or step.challenge is Challenge.MFA_SETUP:
        setting_up = await enrol.take(visit, step)
        if setting_up is not None:
            return setting_up
    elif "resendCodeButton" in form and step.destination:
        return await _choose(visit, step, step.challenge)
    if step.challenge in _CHOICES or "answer" in form:
        return await _take_choice(visit, step)
    if step.challenge is Challenge.WEB_AUTHN:
        outcome = await reply(visit, step, step.challenge, CREDENTIAL=form.get("credential", ""))
        return await proceed(visit, step.username, outcome)
    code = visit.given("authentication_code")
    if not code:
        return _show(visit, step, wrong=visit.text("fill_in"))
    outcome = await reply(visit, step, step.challenge, **{_CODES[step.challenge]: code})
    return await proceed(visit, step.username, outcome)


async def _take_choice(visit: Visit, step: Asking) -> Response:
    chosen = next((choice for choice in step.choices if choice == visit.form.get("answer")), None)
    if chosen is None:
        return _show(visit, step)
    if chosen is Challenge.PASSWORD:
        return show_sign_in(visit, username=step.username, named=True)
    return await _choose(visit, step, chosen)


async def _choose(visit: Visit, step: Asking, chosen: Challenge) -> Response:
    choice = Challenge.SELECT_CHALLENGE if step.is_first else Challenge.SELECT_MFA_TYPE
    return await proceed(visit, step.username, await reply(visit, step, choice, ANSWER=chosen))


def _refused(visit: Visit, step: Asking, error: ServiceError) -> Response:
    if is_over(error):
        return show_sign_in(visit.at(None), error=visit.text("something_wrong"))
    match error:
        case CodeMismatchException() | EnableSoftwareTokenMFAException():
            return _show(visit, step, wrong=visit.text("code_mismatch"))
        case ExpiredCodeException():
            return _show(visit, step, wrong=visit.text("code_used"))
    if step.challenge is Challenge.WEB_AUTHN:
        return _show(visit, step, error=visit.text("passkey_failed"))
    return _show(visit, step, error=visit.text.say(error.message))


def _show(
    visit: Visit, step: Asking, *, wrong: str = "", error: str | None = None, notice: str | None = None
) -> Response:
    """Return the page of a step; ``wrong`` says what is wrong with the code."""
    if step.challenge is Challenge.MFA_SETUP:
        return enrol.show(visit, step, wrong=wrong, error=error)
    if step.challenge in _CODES:
        return _show_code(visit, step, wrong=wrong, error=error, notice=notice)
    # A passkey's own page cannot be shown again, only chosen again.
    return visit.show(
        "choices.html",
        heading=visit.text("choose_heading" if step.is_first else "factor_heading"),
        lead=step.username,
        error=error,
        action=visit.action(path_of(step)),
        choices=option_buttons(visit, step.choices),
        sign_in=visit.place.link("/login"),
    )


def _show_code(visit: Visit, step: Asking, *, wrong: str, error: str | None, notice: str | None) -> Response:
    text, is_app = visit.text, step.challenge is Challenge.SOFTWARE_TOKEN_MFA
    form = Form(
        name="cognitoMfaForm",
        action=visit.action(path_of(step)),
        fields=[code_field(text, id="authenticationCode", name="authentication_code", error=wrong)],
        button="signInSubmitButton",
        caption=text("sign_in"),
    )
    return visit.show(
        "form.html",
        heading=text("code_heading"),
        lead=None if notice else _code_lead(visit, step),
        form=form,
        error=error,
        notice=notice,
        resend=None if is_app else visit.action(path_of(step)),
        others=_others(visit, step),
        others_action=visit.action(path_of(step)),
        sign_in=visit.place.link("/login"),
    )


def _code_lead(visit: Visit, step: Asking) -> str:
    if step.challenge is not Challenge.SOFTWARE_TOKEN_MFA:
        return visit.text("sign_in_code_sent", destination=step.destination)
    return visit.text("app_code_of", device=step.device) if step.device else visit.text("app_code")


def _others(visit: Visit, step: Asking) -> list[Button]:
    if step.enrolling:
        return [Button("backButton", visit.text("back"))]
    return [Button("otherOptionsButton", visit.text("other_options"))] if len(step.choices) > 1 else []
