"""Where a sign-in goes on: to the application, or to the page that asks what is still to be shown."""

import json

from poolhouse.core.factors import SMS
from poolhouse.flows import enrolment
from poolhouse.flows.sign_in import Reply, answer
from poolhouse.flows.sign_in_loop import Ask, Outcome
from poolhouse.flows.sign_in_state import EXPIRED_SESSION, INVALID_SESSION, SPENT_SESSION
from poolhouse.login.pages import passkey
from poolhouse.login.session import Asking, Replacing
from poolhouse.login.visit import Visit
from poolhouse.model import ChallengeNameType as Challenge
from poolhouse.model import MFAMethodNotFoundException, NotAuthorizedException, ServiceError
from poolhouse.web.responses import Response

_ATTRIBUTE = "userAttributes."
_OVER = frozenset({INVALID_SESSION, EXPIRED_SESSION, SPENT_SESSION})
# What there is a page for.
_ASKED = frozenset(
    {
        Challenge.SELECT_CHALLENGE, Challenge.SMS_OTP, Challenge.EMAIL_OTP, Challenge.WEB_AUTHN, Challenge.SMS_MFA,
        Challenge.SOFTWARE_TOKEN_MFA, Challenge.SELECT_MFA_TYPE, Challenge.MFA_SETUP,
    }
)  # fmt: skip


async def proceed(visit: Visit, username: str, outcome: Outcome) -> Response:
    """Go where the sign-in leads.

    Raises NotAuthorizedException where the step was taken, or the user locked, by somebody else meanwhile.
    """
    if not isinstance(outcome, Ask):
        return await visit.finish(outcome)
    if outcome.challenge is Challenge.NEW_PASSWORD_REQUIRED and outcome.session:
        asked = json.loads(outcome.parameters.get("requiredAttributes", "[]"))
        missing = tuple(name.removeprefix(_ATTRIBUTE) for name in asked)
        return visit.move("/changePassword", Replacing(username=username, session=outcome.session, missing=missing))
    if outcome.challenge not in _ASKED or outcome.session is None:
        return cannot_go_on(visit)
    step = _step_of(visit, username, outcome, outcome.session)
    if outcome.challenge is Challenge.WEB_AUTHN:
        # The options of many passkeys are too long for the cookie: this page is shown at once.
        return passkey.show_form(visit.at(step), step, outcome.parameters["CREDENTIAL_REQUEST_OPTIONS"])
    if outcome.challenge is Challenge.MFA_SETUP and len(step.choices) == 1:
        return await enrol(visit, step, step.choices[0])
    return visit.move(path_of(step), step)


def _step_of(visit: Visit, username: str, outcome: Ask, session: str) -> Asking:
    """Return what is asked next, with what the pages before knew of it."""
    shown, before = outcome.parameters, visit.step
    is_first = outcome.available is not None
    choices = choices_of(outcome)
    enrolling, address, resent = None, "", False
    if isinstance(before, Asking) and before.is_first == is_first:
        choices = choices or before.choices
        resent = before.challenge is outcome.challenge
        if outcome.challenge in {before.enrolling, Challenge.MFA_SETUP}:
            enrolling, address = before.enrolling, before.address
    return Asking(
        username=username,
        session=session,
        challenge=outcome.challenge,
        choices=choices,
        is_first=is_first,
        destination=shown.get("CODE_DELIVERY_DESTINATION", ""),
        device=shown.get("FRIENDLY_DEVICE_NAME", ""),
        enrolling=enrolling,
        address=address,
        resent=resent,
    )


def choices_of(outcome: Ask) -> tuple[Challenge, ...]:
    """Return what there is to choose from on the pages: SRP is another way to show a password, and needs a program."""
    names = outcome.available
    if names is None:
        listed = outcome.parameters.get("MFAS_CAN_CHOOSE") or outcome.parameters.get("MFAS_CAN_SETUP") or "[]"
        names = [Challenge(name) for name in json.loads(listed)]
    return tuple(name for name in names if name is not Challenge.PASSWORD_SRP)


def path_of(step: Asking) -> str:
    """Return the path of the page that asks for a step."""
    return "/challenge" if step.is_first else "/mfa"


async def reply(visit: Visit, step: Asking, challenge: Challenge, **responses: str) -> Outcome:
    """Answer a challenge of the sign-in under way; raises as ``flows.sign_in.answer``."""
    given = Reply(challenge=challenge, session=step.session, responses={"USERNAME": step.username, **responses})
    return await answer(visit.call, visit.pool, visit.client, given)


async def enrol(visit: Visit, step: Asking, factor: Challenge) -> Response:
    """Go to the page where a factor is set up; raises as ``flows.enrolment.associate``."""
    if factor is not Challenge.SOFTWARE_TOKEN_MFA:
        return visit.move("/mfa", _setting_up(step, factor, step.session, ""))
    secret, session = await enrolment.associate(visit.call, step.session)
    return visit.move("/mfa", _setting_up(step, factor, session, secret))


def _setting_up(step: Asking, factor: Challenge, session: str, secret: str) -> Asking:
    return Asking(
        username=step.username,
        session=session,
        challenge=Challenge.MFA_SETUP,
        choices=step.choices,
        enrolling=factor,
        secret=secret,
    )


def is_over(error: ServiceError) -> bool:
    """Tell whether a sign-in cannot be gone on with, so that it has to begin again."""
    if isinstance(error, MFAMethodNotFoundException):
        return True
    return isinstance(error, NotAuthorizedException) and error.message in _OVER


def address_name(factor: Challenge) -> str:
    """Return the attribute that the codes of a factor go to."""
    return "phone_number" if factor is SMS else "email"


def cannot_go_on(visit: Visit) -> Response:
    """Show that the sign-in needs a step for which there is no page: it ends here."""
    return visit.at(None).show(
        "message.html",
        status=400,
        heading=visit.text("error_heading"),
        lead=visit.text("requested_page"),
        detail=visit.text("login_option"),
        sign_in=visit.place.link("/login"),
    )
