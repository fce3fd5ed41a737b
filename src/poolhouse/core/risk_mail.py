"""Mail about risky sign-ins: whose words, and what takes the place of the placeholders (spec/api/07 §2, 06 §12.1)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape

from msgspec import Struct

from poolhouse.core.messages import Envelope
from poolhouse.core.risk_actions import Outcome
from poolhouse.core.risk_levels import Sighting
from poolhouse.model import NotifyConfigurationType, NotifyEmailType

_PLACEHOLDER = re.compile(r"\{([a-z]+(?:-[a-z]+)*)\}")
_TAIL = """
If this sign-in was not by you, you should change your password and notify us by clicking on {one-click-link-invalid}
If this sign-in was by you, you can follow {one-click-link-valid} to let us know"""
_FACTS = """
Time: {login-time}
Device: {device-name}
Location: {city}, {country}"""
_DEFAULTS = {
    Outcome.BLOCKED: (
        "Blocked sign-in attempt",
        "We blocked an unrecognized sign-in to your account with this information:",
    ),
    Outcome.PASSED: (
        "New sign-in attempt",
        "We observed an unrecognized sign-in to your account with this information:",
    ),
    Outcome.ASKED: (
        "New sign-in attempt",
        "We required you to use multi-factor authentication for the following sign-in attempt:",
    ),
}
_UNKNOWN = "unknown"


class RiskMail(Struct, frozen=True, kw_only=True):
    """A mail: HTML, and the text for readers that show none, empty where it is to be made of the HTML."""

    subject: str
    html: str
    text: str = ""


def values_of(seen: Sighting, username: str, event_id: str, token: str, links: tuple[str, str]) -> dict[str, str]:
    """Return what the placeholders stand for. ``links`` say that it was the user, and that it was not."""
    valid, invalid = links
    return {
        "ip-address": seen.address or _UNKNOWN,
        "city": seen.place.city or _UNKNOWN,
        "country": seen.place.country or _UNKNOWN,
        "login-time": datetime.fromtimestamp(seen.at // 1000, UTC).strftime("%a %b %d %H:%M:%S UTC %Y"),
        "device-name": seen.device or _UNKNOWN,
        "one-click-link-valid": valid,
        "one-click-link-invalid": invalid,
        "event-id": event_id,
        "feedback-token": token,
        "username": username,
    }


def compose(configuration: NotifyConfigurationType, outcome: Outcome, values: Mapping[str, str]) -> RiskMail:
    """Return the mail about an outcome: the pool's own words, or the default ones."""
    chosen = {
        Outcome.BLOCKED: configuration.block_email,
        Outcome.PASSED: configuration.no_action_email,
        Outcome.ASKED: configuration.mfa_email,
    }[outcome]
    mail = chosen or NotifyEmailType(subject=_DEFAULTS[outcome][0])
    text = mail.text_body or ""
    html = mail.html_body
    if html is None:
        text = text or _default_text(outcome)
        # One's own text shows in HTML as it stands.
        html = f"<pre>{escape(text)}</pre>" if mail.text_body else _default_html(outcome)
    return RiskMail(
        subject=_fill(mail.subject, values, quoted=False),
        html=_fill(html, values, quoted=True),
        text=_fill(text, values, quoted=False),
    )


def envelope_of(configuration: NotifyConfigurationType) -> Envelope:
    """Return whom the mail comes from and who gets the answers; an address in SourceArn counts where From is not set."""
    identity = configuration.source_arn.partition(":identity/")[2]
    return Envelope(
        sender=configuration.from_ or (identity if "@" in identity else None), reply_to=configuration.reply_to
    )


def _default_text(outcome: Outcome) -> str:
    return _DEFAULTS[outcome][1] + _FACTS + _TAIL


def _default_html(outcome: Outcome) -> str:
    facts = "".join(f"<li>{line}</li>" for line in _FACTS.strip().splitlines())
    first, second = _TAIL.strip().splitlines()
    for name in ("one-click-link-invalid", "one-click-link-valid"):
        link = f'<a href="{{{name}}}">this link</a>'
        first, second = (line.replace(f"{{{name}}}", link) for line in (first, second))
    return (
        '<!DOCTYPE html><html><head><title>HTML email context</title><meta charset="UTF-8"></head><body>'
        f"<pre>{_DEFAULTS[outcome][1]}<ul>{facts}</ul>{first}\n{second}</pre></body></html>"
    )


def _fill(text: str, values: Mapping[str, str], *, quoted: bool) -> str:
    """Put the values in the place of the placeholders, once through the text; what is none stays."""

    def value(found: re.Match[str]) -> str:
        known = values.get(found[1])
        if known is None:
            return found[0]
        return escape(known) if quoted else known

    return _PLACEHOLDER.sub(value, text)
