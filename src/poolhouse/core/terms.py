"""Terms documents: links to what people agree to when they sign up (spec/api/10 §7, spec/http/07 §7.7)."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec.structs import replace

from poolhouse.model import (
    CreateTermsRequest,
    InvalidParameterException,
    TermsType,
    UpdateTermsRequest,
)

TERMS_OF_USE, PRIVACY_POLICY = "terms-of-use", "privacy-policy"
DEFAULT_LINK = "cognito:default"
# The links of the languages of managed login (spec/http/07 §7.6).
LINK_OF_LANGUAGE = {
    "en": "cognito:english",
    "de": "cognito:german",
    "es": "cognito:spanish",
    "fr": "cognito:french",
    "id": "cognito:bahasa-indonesia",
    "it": "cognito:italian",
    "ja": "cognito:japanese",
    "ko": "cognito:korean",
    "nl": "cognito:dutch",
    "pt-BR": "cognito:portuguese-brazil",
    "zh-CN": "cognito:chinese-simplified",
    "zh-TW": "cognito:chinese-traditional",
}


def new_terms(request: CreateTermsRequest, *, terms_id: str, now: int) -> TermsType:
    """Return the document that a request asks for; raises InvalidParameterException."""
    if not request.links:
        raise InvalidParameterException("Links must be provided.")
    _check_links(request.links)
    return TermsType(
        terms_id=terms_id,
        user_pool_id=request.user_pool_id,
        client_id=request.client_id,
        terms_name=request.terms_name,
        terms_source=request.terms_source,
        enforcement=request.enforcement,
        links=request.links,
        creation_date=now / 1000,
        last_modified_date=now / 1000,
    )


def updated_terms(terms: TermsType, request: UpdateTermsRequest, now: int) -> TermsType:
    """Return the document with the members that a request has, its links as a whole.

    Raises InvalidParameterException.
    """
    if request.links is not None:
        _check_links(request.links)
    return replace(
        terms,
        terms_name=request.terms_name or terms.terms_name,
        terms_source=request.terms_source or terms.terms_source,
        enforcement=request.enforcement or terms.enforcement,
        links=terms.links if request.links is None else request.links,
        last_modified_date=now / 1000,
    )


def terms_links(documents: Mapping[str, TermsType], language: str) -> dict[str, str | None]:
    """Return where the documents of a client are in a language, by name; None where there is nothing to link to.

    Empty unless the client has both documents.
    """
    if not {TERMS_OF_USE, PRIVACY_POLICY} <= documents.keys():
        return {}
    key = LINK_OF_LANGUAGE[language]
    found = {name: terms.links.get(key, terms.links.get(DEFAULT_LINK)) for name, terms in documents.items()}
    return found if any(found.values()) else {}


def _check_links(links: Mapping[str, str]) -> None:
    for url in links.values():
        try:
            parts = urlsplit(url)
        except ValueError:
            raise InvalidParameterException(f"{url} is not a valid URL.") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidParameterException(f"{url} is not an absolute http or https URL.")
