"""Setting up a second factor in the middle of a sign-in (spec/http/07 §7.3)."""

from msgspec.structs import replace

from poolhouse.core.replica_rules import check_challenge
from poolhouse.flows import enrolment
from poolhouse.flows.challenges.mfa_setup import ADDRESSES
from poolhouse.flows.software_tokens import LONGEST_NAME
from poolhouse.login.fields import address_field, clean_phone, code_field
from poolhouse.login.pages.options import option_buttons
from poolhouse.login.pages.proceed import address_name, cannot_go_on, enrol, proceed, reply
from poolhouse.login.qr import draw_uri, setup_uri
from poolhouse.login.session import Asking
from poolhouse.login.view import Button, Field, Form
from poolhouse.login.visit import Visit
from poolhouse.model import ChallengeNameType as Challenge
from poolhouse.model import InvalidParameterException
from poolhouse.web.responses import Response

_HEADINGS = {
    Challenge.SOFTWARE_TOKEN_MFA: "setup_app_heading",
    Challenge.SMS_MFA: "setup_sms_heading",
    Challenge.EMAIL_OTP: "setup_email_heading",
}


async def take(visit: Visit, step: Asking) -> Response | None:
    """Take an answer of a set-up page; None where it is the code that went to a new address.

    Raises the errors of ``flows.enrolment``, of MFA_SETUP and OperationNotEnabledException.
    """
    check_challenge(visit.pool, Challenge.MFA_SETUP)
    form = visit.form
    if "backButton" in form:
        return visit.move("/mfa", _before(step))
    if step.challenge is not Challenge.MFA_SETUP:
        return await _send(visit, step, step.address) if "resendCodeButton" in form else None
    if step.enrolling is None:
        chosen = next((choice for choice in step.choices if choice == form.get("answer")), None)
        return show(visit, step) if chosen is None else await enrol(visit, step, chosen)
    if step.enrolling is Challenge.SOFTWARE_TOKEN_MFA:
        return await _take_app(visit, step)
    address = visit.given("address")
    address = clean_phone(address) if step.enrolling is Challenge.SMS_MFA else address
    if not address:
        return show(visit, step, wrong=visit.text("fill_in"))
    try:
        return await _send(visit, step, address)
    except InvalidParameterException as error:
        return show(visit, replace(step, address=address), wrong=visit.text.say(error.message))


def _before(step: Asking) -> Asking:
    """Return the step before: the choice of a factor, or the address where there is but one factor."""
    only = step.enrolling if len(step.choices) == 1 else None
    return replace(step, challenge=Challenge.MFA_SETUP, enrolling=only, secret="", destination="")


async def _take_app(visit: Visit, step: Asking) -> Response:
    code = visit.given("authentication_code")
    if not code:
        return show(visit, step, wrong=visit.text("fill_in"))
    name = visit.given("friendly_device_name")[:LONGEST_NAME]
    session = await enrolment.verify(visit.call, step.session, code, name)
    outcome = await reply(visit, replace(step, session=session), Challenge.MFA_SETUP)
    return await proceed(visit, step.username, outcome)


async def _send(visit: Visit, step: Asking, address: str) -> Response:
    assert step.enrolling is not None
    given = {ADDRESSES[step.enrolling]: address}
    outcome = await reply(visit, step, Challenge.MFA_SETUP, **given)
    return await proceed(visit.at(replace(step, address=address)), step.username, outcome)


def show(visit: Visit, step: Asking, *, wrong: str = "", error: str | None = None) -> Response:
    """Return the page of a set-up: the choice, the app with its secret, or the address."""
    text = visit.text
    if not step.choices:
        return cannot_go_on(visit)
    if step.enrolling is None:
        return visit.show(
            "choices.html",
            heading=text("setup_heading"),
            lead=text("setup_lead"),
            error=error,
            action=visit.action("/mfa"),
            choices=option_buttons(visit, step.choices),
            sign_in=visit.place.link("/login"),
        )
    is_app = step.enrolling is Challenge.SOFTWARE_TOKEN_MFA
    form = Form(
        name="cognitoMfaSetupForm",
        action=visit.action("/mfa"),
        fields=_app_fields(visit, wrong) if is_app else [_address(visit, step, wrong)],
        button="mfaSetupButton",
        caption=text("sign_in" if is_app else "next"),
    )
    shown = {}
    if is_app:
        uri = setup_uri(visit.pool.settings.name or "", step.username, step.secret)
        shown = {"qr": draw_uri(uri), "secret": step.secret}
    return visit.show(
        "set_up.html",
        heading=text(_HEADINGS[step.enrolling]),
        lead=text("setup_app_lead" if is_app else "setup_address_lead"),
        form=form,
        error=error,
        others=[Button("backButton", text("back"))] if len(step.choices) > 1 else [],
        others_action=visit.action("/mfa"),
        sign_in=visit.place.link("/login"),
        **shown,
    )


def _app_fields(visit: Visit, wrong: str) -> list[Field]:
    code = code_field(visit.text, id="authenticationCode", name="authentication_code", error=wrong)
    device = Field(
        id="friendlyDeviceName",
        name="friendly_device_name",
        label=visit.text("device_name"),
        value=visit.given("friendly_device_name"),
        autocomplete="off",
        maxlength=LONGEST_NAME,
        required=False,
    )
    return [code, device]


def _address(visit: Visit, step: Asking, wrong: str) -> Field:
    assert step.enrolling is not None
    return address_field(visit.text, address_name(step.enrolling), value=step.address, error=wrong)
