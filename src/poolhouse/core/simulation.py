"""Where a code is said to have gone when there is no user to send it to (spec/api/03 §4)."""

import re

from poolhouse.core.messages import mask
from poolhouse.core.pool import Pool
from poolhouse.model import RecoveryOptionNameType

_LOOKS = {"email": re.compile(r"[^@\s]+@[^@\s]+"), "phone_number": re.compile(r"\+\d{5,15}", re.ASCII)}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# How most mail domains of real users begin.
_DOMAIN_LETTERS = "ggggohyimp"
_RECOVERY = {
    RecoveryOptionNameType.verified_email: "email",
    RecoveryOptionNameType.verified_phone_number: "phone_number",
}


def simulated_destination(pool: Pool, username: str, chance: bytes) -> tuple[str, str]:
    """Return an attribute and a masked destination: what the name looks like, else what the pool verifies.

    ``chance`` is at least four bytes that are the same for the same pool and name.
    """
    named = [attribute for attribute, looks in _LOOKS.items() if looks.fullmatch(username)]
    attribute = named[0] if named else _likely_attribute(pool)
    return attribute, simulated_address(attribute, username, chance)


def simulated_address(attribute: str, username: str, chance: bytes) -> str:
    """Return a masked destination of one attribute: the name where it looks like one, else one made up by chance."""
    if _LOOKS[attribute].fullmatch(username):
        return mask(username)
    if attribute == "phone_number":
        return f"+*******{int.from_bytes(chance[:4], 'big') % 10_000:04}"
    letter, domain = _LETTERS[chance[0] % len(_LETTERS)], _DOMAIN_LETTERS[chance[1] % len(_DOMAIN_LETTERS)]
    return f"{letter}***@{domain}***"


def _likely_attribute(pool: Pool) -> str:
    """Return where most users of the pool get their codes: the first way of recovery that is verified on sign-up."""
    setting = pool.settings.account_recovery_setting
    options = sorted((setting and setting.recovery_mechanisms) or (), key=lambda option: option.priority)
    recovery = [_RECOVERY[option.name] for option in options if option.name in _RECOVERY]
    verified = [name for name in ("phone_number", "email") if name in pool.auto_verified]
    return next((name for name in recovery if name in verified), None) or next(iter(verified + recovery), "email")
