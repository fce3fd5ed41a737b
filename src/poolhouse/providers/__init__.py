"""Identity providers by OAuth 2.0 and OpenID Connect: where to send a browser, and what they say of who comes back.

What becomes of that in a pool is the flows' business (``flows.federation``). ``Providers.saml`` speaks SAML.
docs/decisions/0017-trust-in-providers.md says what is believed of a provider, and what is not.

Differs from Cognito (identity providers): an issuer's document is read when the first user comes, and again after an
hour; it has to name the issuer of ProviderDetails to the letter, and its addresses, like those that keys are redirected
to, have to be https, or on the loopback where the issuer is there. A request to a provider may take five seconds. What
Cognito says of a token that it does not believe is known for the issuer only, ``Bad id_token issuer …``; other faults
are told in the same way. Google's People API is asked for mapped claims that are fields of its own, and not at all where
there are none. The name that Apple posts at a user's first sign-in gives the claims ``firstName``, ``lastName`` and
``name``; it is not signed. Where a provider of type OIDC says with its answer who it is (``iss``, RFC 9207), or promises
to, it has to be the one that the browser was sent to.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from poolhouse.core.federation import Assertion
from poolhouse.model import IdentityProviderType
from poolhouse.model import IdentityProviderTypeType as Kind
from poolhouse.providers import apple
from poolhouse.providers.attributes import attributes_address
from poolhouse.providers.authorization import WITH_ID_TOKEN, Request, request_url
from poolhouse.providers.discovery import Discovery
from poolhouse.providers.failure import ProviderRefused, TimedOut, Unreachable, quoted, token_error, told_to_operator
from poolhouse.providers.http import SECONDS, Answer, HttpClient
from poolhouse.providers.id_token import check_claims, find_key, read_header, verify
from poolhouse.providers.saml import Saml

if TYPE_CHECKING:
    import httpx

__all__ = ["ProviderRefused", "Providers"]

TOKEN_TIMEOUT = "Timeout occurred in calling IdP token endpoint"
# With the name of the parameter in it, as Cognito's is documented (spec/http/02 §2.1.5).
KEYS_TIMEOUT = "error_description=Timeout in calling jwks uri"
ATTRIBUTES_TIMEOUT = "Timeout occurred in calling IdP userInfo endpoint"
# https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken has both.
GOOGLE_ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})


class Providers:
    """The identity providers of pools; ``settings`` are a provider's, its secrets opened.

    ``wall`` is the time, in milliseconds, that others check signatures by, ``make_id`` makes identifiers of requests,
    ``seconds`` is how long one of them may take; ``transport`` makes what takes the place of the network.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], int],
        make_id: Callable[[], str],
        seconds: float = SECONDS,
        transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None,
    ) -> None:
        self._wall = wall
        self._http = HttpClient(make_id, seconds=seconds, transport=transport)
        self._discovery = Discovery(self._http)
        self.saml = Saml(self._http)

    async def authorization_url(
        self,
        settings: IdentityProviderType,
        *,
        redirect_uri: str,
        state: str,
        nonce: str | None = None,
        login_hint: str | None = None,
        prompt: str | None = None,
        acr_values: str | None = None,
    ) -> str:
        """Return where a browser goes to sign in; ``acr_values`` are in the provider's words (AcrMapping).

        Raises ProviderRefused where the issuer does not tell its addresses.
        """
        kind, details = _parts(settings)
        request = Request(
            redirect_uri=redirect_uri,
            state=state,
            nonce=nonce,
            login_hint=login_hint,
            prompt=prompt,
            acr_values=acr_values,
        )
        with told_to_operator(settings):
            return request_url(kind, details, await self._discovery.get(details, "authorize_url"), request)

    async def fetch(
        self,
        settings: IdentityProviderType,
        *,
        code: str,
        redirect_uri: str,
        nonce: str | None,
        now: int,
        issuer: str | None = None,
        user: str | None = None,
    ) -> Assertion:
        """Return what a provider says of the user whom it gave this code, checked.

        ``nonce`` is what ``authorization_url`` was given, ``issuer`` who the answer with the code says that it is by,
        ``user`` what Apple posts beside a user's first code, ``now`` is in milliseconds. Raises ProviderRefused.
        """
        with told_to_operator(settings):
            await self._check_answer(settings, issuer)
            response = await self._token(settings, code, redirect_uri)
            claims: Mapping[str, Any] = {}
            if settings.provider_type in WITH_ID_TOKEN:
                claims = await self._verified(settings, response, nonce, now)
            told = await self._attributes(settings, response["access_token"])
            if settings.provider_type is Kind.OIDC and told.get("sub", claims["sub"]) != claims["sub"]:
                raise ProviderRefused("Bad user info subject")  # OpenID Connect Core 1.0 §5.3.2
        if settings.provider_type is Kind.SignInWithApple:
            told = apple.read_user(user)
        return Assertion(token_response=response, id_token=claims, user_info=told)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _check_answer(self, settings: IdentityProviderType, issuer: str | None) -> None:
        """Check that a code is this provider's, as far as anybody says whose it is (RFC 9207); raises ProviderRefused.

        All providers have browsers come back to one address: a dishonest one could have another's code brought on its
        own way, and would be told that. The addresses of the other types are known, and nobody's to choose.
        """
        kind, details = _parts(settings)
        if kind is not Kind.OIDC or (issuer is None and not await self._discovery.names_itself(details)):
            return
        if issuer != details["oidc_issuer"]:
            raise ProviderRefused(f"Bad issuer {quoted(issuer)}".rstrip(), detail="the answer is another provider's")

    async def _token(self, settings: IdentityProviderType, code: str, redirect_uri: str) -> Mapping[str, Any]:
        """Return the answer of the token endpoint, which has an access token (RFC 6749 §4.1.3)."""
        kind, details = _parts(settings)
        is_apple = kind is Kind.SignInWithApple
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": details["client_id"],
            "client_secret": apple.client_secret(details, self._wall()) if is_apple else details["client_secret"],
            "redirect_uri": redirect_uri,
        }
        address = await self._discovery.get(details, "token_url")
        asking = self._http.ask(details.get("token_request_method", "POST"), address, form=form)
        answer = await _heard(settings, asking, "token", TOKEN_TIMEOUT)
        token = answer.document.get("access_token")
        if answer.status // 100 != 2 or not _is_token(token) or "error" in answer.document:
            told = token_error(settings, answer.status, answer.document)
            raise ProviderRefused(told, detail=f"token endpoint: status {answer.status}, no token")
        return answer.document

    async def _verified(
        self, settings: IdentityProviderType, response: Mapping[str, Any], nonce: str | None, now: int
    ) -> Mapping[str, Any]:
        """Return the claims of the ID token, checked."""
        kind, details = _parts(settings)
        token = response.get("id_token")
        header = read_header(token)
        assert isinstance(token, str)
        if not header.by_secret:
            claims = verify(token, header, find_key(header, await self._keys(settings)))
        elif "client_secret" in details:
            claims = verify(token, header, details["client_secret"])
        else:
            raise ProviderRefused("Bad id_token algorithm")
        issuers = GOOGLE_ISSUERS if kind is Kind.Google else {details["oidc_issuer"]}
        # Small servers that stand before another protocol return none, and work with Cognito.
        expected = None if kind is Kind.OIDC and "nonce" not in claims else nonce
        check_claims(claims, issuers=issuers, client_id=details["client_id"], nonce=expected, now=now)
        return claims

    async def _keys(self, settings: IdentityProviderType) -> Mapping[str, Any]:
        """Return the provider's keys, as they are now: they are read for each token (spec/http/06 §6.8)."""
        _, details = _parts(settings)
        address = await self._discovery.get(details, "jwks_uri")
        answer = await _heard(settings, self._http.read(address), "keys", KEYS_TIMEOUT)
        if answer.status != 200:
            raise ProviderRefused(f"{settings.provider_name} Error - {answer.status} error getting keys")
        return answer.document

    async def _attributes(self, settings: IdentityProviderType, token: str) -> Mapping[str, Any]:
        """Return what the address of attributes tells; nothing where there is none, or nothing of it is mapped."""
        kind, details = _parts(settings)
        known = await self._discovery.find(details, "attributes_url") if kind is Kind.OIDC else None
        address = attributes_address(settings, known or details.get("attributes_url"))
        if address is None:
            return {}
        asking = self._http.ask(details.get("attributes_request_method", "GET"), address, token=token)
        answer = await _heard(settings, asking, "user info", ATTRIBUTES_TIMEOUT)
        if answer.status != 200 or not answer.document:
            raise ProviderRefused(f"{settings.provider_name} Error - {answer.status} error getting user info")
        return answer.document


def _parts(settings: IdentityProviderType) -> tuple[Kind, Mapping[str, str]]:
    assert settings.provider_type is not None
    return settings.provider_type, settings.provider_details or {}


async def _heard(settings: IdentityProviderType, asking: Awaitable[Answer], what: str, late: str) -> Answer:
    """Return an answer; raises ProviderRefused where there is none, with ``late`` where it would have come too late."""
    try:
        return await asking
    except TimedOut as failure:
        raise ProviderRefused(late, detail=f"{what}: {failure}") from None
    except Unreachable as failure:
        refused = f"{settings.provider_name} Error - error getting {what}"
        raise ProviderRefused(refused, detail=f"{what}: {failure}") from None


def _is_token(token: object) -> bool:
    """Whether this can stand in a header (RFC 6750 §2.1)."""
    return isinstance(token, str) and token.isascii() and token.isprintable() and bool(token) and " " not in token
