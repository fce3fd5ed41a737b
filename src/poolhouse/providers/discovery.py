"""Where a provider's endpoints are: in its details, or at its issuer (OpenID Connect Discovery 1.0 §4)."""

import time
from collections.abc import Mapping
from typing import Any

from poolhouse.providers.failure import ProviderRefused, Unreachable, quoted
from poolhouse.providers.http import HttpClient, check_address

# How long a provider's document is taken as it was, and how many are kept.
SECONDS, MOST = 3600.0, 1000
# The members of the document by the keys of ProviderDetails.
MEMBERS = {
    "authorize_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "attributes_url": "userinfo_endpoint",
    "jwks_uri": "jwks_uri",
}


class Discovery:
    """The addresses of providers; their documents are kept for an hour, per process."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._documents: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def find(self, details: Mapping[str, str], key: str) -> str | None:
        """Return the address that goes by ``key`` in ProviderDetails, None where the provider has none.

        Raises ProviderRefused where its issuer has to be asked and does not tell.
        """
        if details.get(key):
            return details[key]
        issuer = details["oidc_issuer"]
        address = (await self._document(issuer)).get(MEMBERS[key])
        if not isinstance(address, str) or not address:
            return None
        try:
            check_address(address, named_by=issuer)
        except Unreachable as failure:
            raise _unusable(f"{MEMBERS[key]}: {failure}") from None
        return address

    async def get(self, details: Mapping[str, str], key: str) -> str:
        """Return an address that a provider must have; raises ProviderRefused."""
        address = await self.find(details, key)
        if address is None:
            raise _unusable(f"the issuer's document has no {MEMBERS[key]}")
        return address

    async def names_itself(self, details: Mapping[str, str]) -> bool:
        """Whether the provider says with each answer who it is (RFC 9207 §3); raises ProviderRefused.

        Not asked is one whose addresses are in its details: nothing is known of its document.
        """
        if details.get("authorize_url"):
            return False
        document = await self._document(details["oidc_issuer"])
        return document.get("authorization_response_iss_parameter_supported") is True

    async def _document(self, issuer: str) -> Mapping[str, Any]:
        until, document = self._documents.get(issuer, (0.0, {}))
        if time.monotonic() < until:
            return document
        try:
            answer = await self._http.read(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        except Unreachable as failure:
            raise _unusable(f"the issuer's document: {failure}") from None
        if answer.status != 200 or not answer.document:
            raise _unusable(f"the issuer's document: status {answer.status}, {len(answer.document)} members")
        if answer.document.get("issuer") != issuer:
            raise ProviderRefused(
                f"Bad issuer {quoted(answer.document.get('issuer'))}", detail="the document names another issuer"
            )
        if len(self._documents) >= MOST:
            self._documents.pop(next(iter(self._documents)))
        self._documents[issuer] = (time.monotonic() + SECONDS, answer.document)
        return answer.document


def _unusable(detail: str) -> ProviderRefused:
    return ProviderRefused("Unable to contact well-known endpoint", detail=detail)
