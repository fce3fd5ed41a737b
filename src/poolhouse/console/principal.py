"""Who is signed in to the console: an operator, who came through managed login by the code flow (RFC 6749, 7636)."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Deps
from poolhouse.flows.operators import CALLBACK_PATH, SCOPES, SIGNED_OUT_PATH, find_operator, get_pool, sign_out
from poolhouse.model import NotAuthorizedException
from poolhouse.web.domains import base_url_of

if TYPE_CHECKING:
    import httpx

SESSION_COOKIE = "poolhouse-console"
FLOW_COOKIE = "poolhouse-console-flow"
COOKIE_PATH = "/console"
# A working day; the operator then signs in again (ASVS 5.0 §7.3).
SESSION_SECONDS = 8 * 3600
FLOW_SECONDS = 600

T = TypeVar("T", bound=Struct)


class Operator(Struct, frozen=True):
    """The content of the session cookie; ``expires_at`` is in milliseconds, ``csrf`` goes into every form."""

    sub: str
    email: str
    csrf: str
    expires_at: int


class Flow(Struct, frozen=True):
    """What the console remembers while the operator is at the login page; ``expires_at`` is in milliseconds."""

    state: str
    nonce: str
    verifier: str
    target: str
    expires_at: int


class Principal:
    """Signs operators in and out and recognises them."""

    def __init__(self, deps: Deps, http: "Callable[[], httpx.AsyncClient]") -> None:
        self._deps = deps
        self._http = http

    async def find(self, request: Request) -> Operator | None:
        """Return the operator whose session cookie this is, unless the account was removed or disabled since."""
        operator = self._open(request, SESSION_COOKIE, Operator)
        if operator is None or operator.expires_at <= self._deps.clock.now():
            return None
        user = await self._deps.store.read(lambda tx: find_operator(tx, self._deps, operator.sub))
        if user is None or user.signed_out_at > operator.expires_at - SESSION_SECONDS * 1000:
            return None
        return operator

    async def begin(self, response: Response, target: str) -> str:
        """Remember a new sign-in in a cookie of ``response``; return the authorization URL."""
        base, client_id = await self._endpoints()
        deps = self._deps
        flow = Flow(
            state=deps.random.uuid(),
            nonce=deps.random.uuid(),
            verifier=deps.random.bytes(32).hex(),
            target=target,
            expires_at=deps.clock.now() + FLOW_SECONDS * 1000,
        )
        self._set(response, FLOW_COOKIE, flow, FLOW_SECONDS)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": client_id,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "redirect_uri": deps.identity.public_url + CALLBACK_PATH,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{base}/oauth2/authorize?{urlencode(query)}"

    async def finish(self, request: Request, response: Response) -> str:
        """Exchange the code for tokens and begin a session; return where the operator wanted to go.

        Raises NotAuthorizedException.
        """
        flow = self._open(request, FLOW_COOKIE, Flow)
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        if flow is None or flow.expires_at <= self._deps.clock.now():
            raise NotAuthorizedException("This sign-in took too long. Please start again.")
        if not code or not hmac.compare_digest(state.encode(), flow.state.encode()):
            raise NotAuthorizedException("This sign-in was not started here. Please start again.")
        claims = await self._exchange(code, flow)
        expires_at = self._deps.clock.now() + SESSION_SECONDS * 1000
        operator = Operator(
            sub=claims["sub"], email=claims["email"], csrf=self._deps.random.uuid(), expires_at=expires_at
        )
        self._set(response, SESSION_COOKIE, operator, SESSION_SECONDS)
        response.delete_cookie(FLOW_COOKIE, path=COOKIE_PATH)
        return flow.target

    async def sign_out(self, operator: Operator | None, response: Response) -> str:
        """End the operator's sessions; return the URL that ends the one of managed login too."""
        if operator is not None:
            await sign_out(self._deps, operator.sub)
        base, client_id = await self._endpoints()
        response.delete_cookie(SESSION_COOKIE, path=COOKIE_PATH)
        target = self._deps.identity.public_url + SIGNED_OUT_PATH
        return f"{base}/logout?{urlencode({'client_id': client_id, 'logout_uri': target})}"

    async def _exchange(self, code: str, flow: Flow) -> dict[str, str]:
        base, client_id = await self._endpoints()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": client_id,
            "redirect_uri": self._deps.identity.public_url + CALLBACK_PATH,
            "code_verifier": flow.verifier,
        }
        answer = await self._http().post(f"{base}/oauth2/token", data=form)
        if answer.status_code != 200:
            raise NotAuthorizedException("The code of this sign-in was not accepted. Please start again.")
        # The token came from the token endpoint itself, so its signature need not be checked (OIDC Core §3.1.3.7).
        payload = answer.json()["id_token"].split(".")[1]
        claims: dict[str, str] = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if claims.get("nonce") != flow.nonce:
            raise NotAuthorizedException("This sign-in was not started here. Please start again.")
        return claims

    async def _endpoints(self) -> tuple[str, str]:
        pool, client = await self._deps.store.read(lambda tx: get_pool(tx, self._deps))
        return base_url_of(self._deps.identity, pool) or "", client.id

    def _open(self, request: Request, name: str, kind: type[T]) -> T | None:
        value = request.cookies.get(name, "")
        try:
            return msgspec.json.decode(self._deps.sealer.open(name, bytes.fromhex(value)), type=kind)
        except (ValueError, SealBroken):
            return None

    def _set(self, response: Response, name: str, content: Struct, seconds: int) -> None:
        value = self._deps.sealer.seal(name, msgspec.json.encode(content)).hex()
        secure = self._deps.identity.public_url.startswith("https:")
        response.set_cookie(
            name, value, max_age=seconds, path=COOKIE_PATH, secure=secure, httponly=True, samesite="lax"
        )
