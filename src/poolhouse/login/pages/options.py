"""What a user can choose from, as buttons."""

from collections.abc import Iterable

from poolhouse.login.view import Button
from poolhouse.login.visit import Visit
from poolhouse.model import ChallengeNameType as Challenge

# The key of each caption.
_CAPTIONS = {
    Challenge.PASSWORD: "password",
    Challenge.WEB_AUTHN: "option_passkey",
    Challenge.EMAIL_OTP: "option_email",
    Challenge.SMS_OTP: "option_sms",
    Challenge.SMS_MFA: "option_sms",
    Challenge.SOFTWARE_TOKEN_MFA: "option_app",
}


def option_buttons(visit: Visit, choices: Iterable[Challenge]) -> list[Button]:
    """Return a button for each choice, what is strongest first."""
    offered = sorted(choices, key=lambda choice: choice is not Challenge.WEB_AUTHN)
    return [Button("answer", visit.text(_CAPTIONS[choice]), choice) for choice in offered]
