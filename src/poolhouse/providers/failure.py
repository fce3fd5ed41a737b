"""How a sign-in by an identity provider fails before anybody has signed in."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from poolhouse.model import IdentityProviderType
from poolhouse.model import IdentityProviderTypeType as Kind

log = logging.getLogger(__name__)

# How much of what a provider says is passed on to the application.
LONGEST = 200


class ProviderRefused(Exception):
    """A provider cannot be used, or refuses, or says what must not be believed.

    ``error`` and ``description`` are what the application's callback is told (spec/http/02 §2.1.5); ``detail`` is for
    the operator's log, without a word of the provider's own.
    """

    def __init__(self, description: str, *, error: str = "invalid_request", detail: str = "") -> None:
        super().__init__(description)
        self.error, self.description, self.detail = error, description, detail or description


class UnknownSigner(ProviderRefused):
    """A signature fits none of the certificates that are known."""


def response_refused(text: str, *, detail: str = "") -> ProviderRefused:
    """Return the refusal of a SAML response; the caller raises it (spec/http/02 §2.1.5)."""
    return ProviderRefused(
        f"Invalid SAML response received: {text}. ", error="server_error", detail=f"SAML response: {detail or text}"
    )


@contextlib.contextmanager
def told_to_operator(settings: IdentityProviderType) -> Iterator[None]:
    """Have the operator's log say why a provider is refused."""
    try:
        yield
    except ProviderRefused as refusal:
        log.warning("identity provider %s of %s: %s", settings.provider_name, settings.user_pool_id, refusal.detail)
        raise


class Unreachable(Exception):
    """Nobody answered, or with what cannot be read; says why in words that name no address."""


class TimedOut(Unreachable):
    """There was no whole answer in time."""


def quoted(text: object) -> str:
    """Return text of another server, short enough and clean enough to be passed on; nothing for what is no text."""
    if not isinstance(text, str):
        return ""
    return "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST]).strip()


def token_error(settings: IdentityProviderType, status: int, document: Mapping[str, Any]) -> str:
    """Return what the application is told of an error of the token endpoint (spec/http/02 §2.1.5)."""
    error: Any = document.get("error")
    description: Any = document.get("error_description")
    if isinstance(error, dict):  # as Facebook has it
        error, description = error.get("type"), error.get("message")
    begin, code = f"{settings.provider_name} Error - {status}", quoted(error)
    if not code:
        return f"{begin} error getting token"
    if settings.provider_type is Kind.Google:
        return f"{begin} {code}"
    return f"{begin} {code} {quoted(description) or 'error getting token'}"
