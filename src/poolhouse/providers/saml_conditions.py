"""What an assertion is good for: for whom, where, in answer to what, and when (SAML 2.0 Core §2.4–2.7, Profiles §4.1.4.3)."""

from poolhouse.core.saml import ASSERTION, SKEW_SECONDS, read_instant
from poolhouse.providers.failure import ProviderRefused, response_refused
from poolhouse.providers.saml_xml import Element, find_all, name_of, only, text_of

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SKEW = SKEW_SECONDS * 1000
# Those that are understood; an assertion with another is not to be used (SAML 2.0 Core §2.5.1.1).
CONDITIONS = frozenset(f"{{{ASSERTION}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction"))


def check_confirmation(assertion: Element, *, recipient: str, request_id: str | None, now: int) -> None:
    """Check that some bearer may present an assertion here and now; raises ProviderRefused with why not."""
    refusal: ProviderRefused | None = None
    for confirmation in find_all(assertion, "./saml:Subject/saml:SubjectConfirmation"):
        if confirmation.get("Method") != BEARER:
            continue
        try:
            data = only(confirmation, "./saml:SubjectConfirmationData", "SubjectConfirmationData")
            return _check_data(data, recipient, request_id, now)
        except ProviderRefused as error:
            refusal = error
    raise refusal or response_refused("SAML Assertion has no bearer confirmation")


def _check_data(data: Element, recipient: str, request_id: str | None, now: int) -> None:
    if data.get("Recipient") != recipient:
        raise response_refused("Recipient of the SAML Assertion is not the assertion consumer service")
    if data.get("InResponseTo") != request_id:
        raise response_refused("InResponseTo of the SAML Assertion is not the id of a request")
    if data.get("NotOnOrAfter") is None:
        raise response_refused("SAML Assertion has no end")
    _check_times(data, now)


def check_conditions(assertion: Element, *, audience: str, now: int) -> None:
    """Check that an assertion is for this audience, and of now; raises ProviderRefused."""
    conditions = only(assertion, "./saml:Conditions", "Conditions element")
    _check_times(conditions, now)
    if not CONDITIONS.issuperset(name_of(each) for each in find_all(conditions, "./*")):
        raise response_refused("SAML Assertion has a condition that is not known")
    restrictions = find_all(conditions, "./saml:AudienceRestriction")
    for restriction in restrictions:
        audiences = {text_of(each).strip() for each in find_all(restriction, "./saml:Audience")}
        if audience not in audiences:
            raise response_refused(f"Audience restriction in the SAML Assertion does not allow it for {audience}")
    if not restrictions:
        raise response_refused("SAML Assertion has no Audience restriction")


def check_sessions(assertion: Element, *, now: int) -> None:
    """Check that the user signed in at the provider, in a session that goes on; raises ProviderRefused."""
    statements = find_all(assertion, "./saml:AuthnStatement")
    for statement in statements:
        _check_times(statement, now, after="SessionNotOnOrAfter")
    if not statements:
        raise response_refused("SAML Assertion has no AuthnStatement")
    # Nothing that was issued is from a time to come.
    if _time(assertion, "IssueInstant", now) > now + SKEW:
        raise response_refused("SAML Assertion is not yet valid")


def _check_times(element: Element, now: int, *, after: str = "NotOnOrAfter") -> None:
    if _time(element, "NotBefore", now) > now + SKEW:
        raise response_refused("SAML Assertion is not yet valid")
    if _time(element, after, now + 1) <= now - SKEW:
        raise response_refused("SAML Assertion has expired")


def _time(element: Element, name: str, default: int) -> int:
    given = element.get(name)
    try:
        return default if given is None else read_instant(given)
    except (ValueError, OverflowError):
        raise response_refused(f"{name} of the SAML Assertion is no time") from None
