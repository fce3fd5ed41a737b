"""What any SAML response says of itself: by whom, for where, in answer to what; and with what success."""

from poolhouse.providers.failure import response_refused
from poolhouse.providers.saml_xml import Element, find_all, text_of

SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
FORMAT_ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"


def check_message(response: Element, *, entity_id: str, destination: str, request_id: str | None, signed: bool) -> None:
    """Check a response, which has to say where it is for if it is ``signed``; raises ProviderRefused.

    ``request_id`` is that of the request which it answers, None where there was none.
    """
    for issuer in find_all(response, "./saml:Issuer"):
        check_issuer(issuer, entity_id)
    given = response.get("Destination")
    if given != destination and (given or signed):  # SAML 2.0 Bindings §3.5.5.2
        raise response_refused("Destination of the SAML response is not this address")
    if response.get("InResponseTo") != request_id:
        raise response_refused("InResponseTo of the SAML response is not the id of a request")


def check_status(response: Element) -> None:
    """Check that the provider did what it was asked to; raises ProviderRefused."""
    codes = [each.get("Value") for each in find_all(response, "./samlp:Status//samlp:StatusCode")]
    if codes[:1] != [SUCCESS]:
        known = (code.removeprefix("urn:oasis:names:tc:SAML:2.0:status:") for code in codes if code)
        said = ", ".join(code for code in known if code.isascii() and code.isalpha())[:100]
        raise response_refused(f"Status of the SAML response is not Success{': ' if said else ''}{said}")


def check_issuer(issuer: Element, entity_id: str) -> None:
    """Check who a response or an assertion is by; raises ProviderRefused."""
    if issuer.get("Format", FORMAT_ENTITY) != FORMAT_ENTITY or text_of(issuer).strip() != entity_id:
        raise response_refused("Issuer is not the identity provider")
