"""A small identity provider on loopback, which can act as each type by OAuth 2.0, and misbehave.

    provider.details("OIDC")                       # ProviderDetails that name it
    provider.person = {"sub": "AbC", "email": "…"} # who is signed in there
    provider.approve(location)                     # what a browser does there: where it sends the browser back to
    provider.claims = {"iss": "https://other.example", "exp": None}  # changed in ID tokens, and left out
    provider.answers["token"] = Answer(500)        # what a role answers in the place of the right thing
    provider.asked("token")                        # the requests for a role, oldest first

Roles are ``discovery``, ``jwks``, ``authorize``, ``token`` and ``userinfo``. The addresses of Google, Facebook, Amazon and
Apple lead to it by way of ``Roads``, which tests give the server in the place of the outside world.
"""

import contextlib
import functools
import html
import itertools
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

CLIENT_ID, CLIENT_SECRET = "pool-at-provider", "s3cret of the provider & more, as long as the longest HMAC wants it"
TEAM_ID, KEY_ID = "TEAM123456", "KEY1234567"
PEOPLE = {
    "OIDC": {"sub": "AbC", "email": "ann@example.com", "email_verified": True, "name": "Ann"},
    "Google": {"sub": "1084", "email": "ann@gmail.example", "email_verified": True, "name": "Ann"},
    "Facebook": {"id": "2077", "email": "ann@facebook.example", "name": "Ann", "birthday": "01/02/1990"},
    "LoginWithAmazon": {"user_id": "amzn1.account.K2", "email": "ann@amazon.example", "name": "Ann"},
    "SignInWithApple": {"sub": "000123.abc.0456", "email": "ann@privaterelay.example", "email_verified": "true"},
}
# Where each type has its roles; the rest is by discovery.
ROLES = {
    "/.well-known/openid-configuration": "discovery",
    "/jwks": "jwks",
    "/authorize": "authorize",
    "/token": "token",
    "/userinfo": "userinfo",
    "/o/oauth2/v2/auth": "authorize",
    "/oauth2/v4/token": "token",
    "/v1/people/me": "userinfo",
    "/v17.0/dialog/oauth": "authorize",
    "/v17.0/oauth/access_token": "token",
    "/v17.0/me": "userinfo",
    "/ap/oa": "authorize",
    "/auth/o2/token": "token",
    "/user/profile": "userinfo",
    "/auth/authorize": "authorize",
    "/auth/token": "token",
}


@functools.cache
def keys() -> dict[str, Any]:
    """The provider's keys by key id: made once, being slow to make. ``apple`` is the one that Apple gave the pool."""
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "apple": ec.generate_private_key(ec.SECP256R1()),
        "stranger": rsa.generate_private_key(65537, 2048),
    }


def apple_pem() -> str:
    """The contents of the file that Apple gives a developer."""
    return keys()["apple"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True)
class Answer:
    """What is answered after ``delay`` seconds; ``body`` may be bytes, or an object for JSON."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One request."""

    role: str
    method: str
    host: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Approved:
    """Where a browser goes back to: with ``form`` by POST, without by GET."""

    url: str
    form: dict[str, str] | None = None


@dataclass(frozen=True)
class Grant:
    """What a code stands for."""

    client_id: str
    redirect_uri: str
    nonce: str | None
    person: dict[str, Any]


class Provider:
    """The provider; it listens from the start until ``close``, with TLS where it has a context for that.

    ``reset`` makes it well-behaved again.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._scheme = "https" if tls else "http"
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_handler())
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        self.reset()

    def reset(self) -> None:
        """Forget what was asked and how to misbehave."""
        self.person: dict[str, Any] = dict(PEOPLE["OIDC"])
        # What the address of attributes tells, unless it is the person's own claims.
        self.profile: dict[str, Any] | None = None
        self.claims: dict[str, Any] = {}
        self.secret = CLIENT_SECRET
        self.kid, self.alg = "rsa", "RS256"
        # Makes ID tokens in the place of the right way.
        self.forge: Callable[[dict[str, Any]], str] | None = None
        self.answers: dict[str, Answer] = {}
        # What it says in the place of a code: ("access_denied", "The user said no").
        self.denial: tuple[str, str] | None = None
        # What Apple posts beside the first code.
        self.apple_user: dict[str, Any] | None = None
        self.requests: list[Asked] = []
        self._grants: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}

    @property
    def url(self) -> str:
        """Its issuer as a provider of type OIDC."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def details(self, kind: str = "OIDC", **changes: str) -> dict[str, str]:
        """ProviderDetails for a request; those of type OIDC name this server, the others its name on the way here."""
        application = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        apple = {"client_id": CLIENT_ID, "team_id": TEAM_ID, "key_id": KEY_ID, "private_key": apple_pem()}
        return {
            "OIDC": application
            | {"authorize_scopes": "openid email profile", "attributes_request_method": "GET", "oidc_issuer": self.url},
            "Google": application | {"authorize_scopes": "email profile openid"},
            "Facebook": application | {"authorize_scopes": "public_profile, email", "api_version": "v17.0"},
            "LoginWithAmazon": application | {"authorize_scopes": "profile postal_code"},
            "SignInWithApple": apple | {"authorize_scopes": "email name"},
        }[kind] | changes

    def asked(self, role: str) -> list[Asked]:
        """The requests for a role, oldest first."""
        return [request for request in self.requests if request.role == role]

    def code(self, redirect_uri: str, nonce: str | None = None, person: dict[str, Any] | None = None) -> str:
        """Give a code as if somebody had signed in."""
        code = f"code-{next(self._numbers)}"
        self._grants[code] = Grant(CLIENT_ID, redirect_uri, nonce, dict(person or self.person))
        return code

    def approve(self, location: str) -> Approved:
        """Do what a browser does that is sent here with somebody already signed in: say where it goes back to."""
        asked = dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))
        return self._approve(asked)

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """Make an ID token with the current key and algorithm."""
        key = self.secret if self.alg.startswith("HS") else keys()[self.kid]
        return jwt.encode(claims, key, self.alg, headers={"kid": self.kid} | header)

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        self.requests.append(asked)
        if asked.role in self.answers:
            answer = self.answers[asked.role]
            self._closing.wait(answer.delay)
            return answer
        return getattr(self, f"_{asked.role}", self._nothing)(asked)

    @staticmethod
    def _nothing(_: Asked) -> Answer:
        return Answer(404, {"error": "not_found"})

    def _issuer(self, asked: Asked) -> str:
        return self.url if self.url.endswith(f"//{asked.host}") else f"https://{asked.host}"

    def _discovery(self, asked: Asked) -> Answer:
        issuer = self._issuer(asked)
        document = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return Answer(body=document)

    def _jwks(self, _: Asked) -> Answer:
        public = {
            "rsa": jwt.algorithms.RSAAlgorithm.to_jwk(keys()["rsa"].public_key(), as_dict=True),
            "ec": jwt.algorithms.ECAlgorithm.to_jwk(keys()["ec"].public_key(), as_dict=True),
        }
        shown = [key | {"kid": kid, "use": "sig"} for kid, key in public.items()]
        for key in shown:
            key.pop("key_ops", None)
        return Answer(body={"keys": [{"kty": "AKP", "kid": "of-the-future"}, *shown]})

    def _authorize(self, asked: Asked) -> Answer:
        approved = self._approve(asked.query)
        if approved.form is None:
            return Answer(302, headers={"Location": approved.url})
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in approved.form.items()
        )
        page = (
            f'<!doctype html><title>Provider</title><form method="post" action="{html.escape(approved.url)}">{inputs}'
            "<button>Go back</button></form><script>document.forms[0].submit()</script>"
        )
        return Answer(body=page.encode(), headers={"Content-Type": "text/html"})

    def _approve(self, asked: dict[str, str]) -> Approved:
        back = asked["redirect_uri"]
        if self.denial:
            told = dict(zip(("error", "error_description"), self.denial, strict=True))
        else:
            told = {"code": self.code(back, asked.get("nonce"))}
        told["state"] = asked.get("state", "")
        if asked.get("response_mode") == "form_post":
            user = {"user": json.dumps(self.apple_user)} if self.apple_user else {}
            return Approved(back, told | user)
        return Approved(f"{back}?{urlencode(told, quote_via=quote)}")

    def _token(self, asked: Asked) -> Answer:
        sent = asked.query if asked.method == "GET" else asked.form
        facebook, apple = asked.path.startswith("/v17.0/"), asked.path == "/auth/token"
        if (asked.method == "GET") != facebook or "authorization" in asked.headers:
            return Answer(405, {"error": "invalid_request"})
        if not (self._is_apple_secret(sent) if apple else sent.get("client_secret") == self.secret):
            wrong = {"error": "invalid_client", "error_description": "Client authentication failed"}
            graph = {"error": {"message": "Error validating client secret.", "type": "OAuthException", "code": 1}}
            return Answer(400 if facebook else 401, graph if facebook else wrong)
        grant = self._grants.pop(sent.get("code", ""), None)
        expected = None if grant is None else (grant.client_id, grant.redirect_uri)
        if grant is None or expected != (sent.get("client_id"), sent.get("redirect_uri")):
            return Answer(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        access_token = f"access-{next(self._numbers)}"
        self._tokens[access_token] = grant
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": 3600}
        if not facebook and asked.path != "/auth/o2/token":
            answer["id_token"] = self._id_token(grant, self._issuer(asked))
        return Answer(body=answer)

    @staticmethod
    def _is_apple_secret(sent: dict[str, str]) -> bool:
        """Whether a client's secret is what Apple asks for."""
        try:
            claims = jwt.decode(
                sent["client_secret"],
                keys()["apple"].public_key(),
                ["ES256"],
                audience="https://appleid.apple.com",
                issuer=TEAM_ID,
                options={"require": ["iat", "exp", "sub"]},
            )
            header = jwt.get_unverified_header(sent["client_secret"])
        except (KeyError, jwt.PyJWTError):
            return False
        return header["kid"] == KEY_ID and claims["sub"] == CLIENT_ID and claims["exp"] - claims["iat"] <= 15_777_000

    def _id_token(self, grant: Grant, issuer: str) -> str:
        now = int(time.time())
        claims = {"iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, **grant.person}
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        claims |= self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.forge(claims) if self.forge else self.sign(claims)

    def _userinfo(self, asked: Asked) -> Answer:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            return Answer(401, {"error": "invalid_token"})
        told = self._tokens[token].person if self.profile is None else self.profile
        fields = asked.query.get("fields") or asked.query.get("personFields")
        if fields:
            told = {name: value for name, value in told.items() if name in fields.split(",")}
        return Answer(body=told)

    def _request_handler(provider) -> type[BaseHTTPRequestHandler]:
        class RequestHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = provider.answer(
                    Asked(
                        role=ROLES.get(url.path, "nothing"),
                        method=self.command,
                        host=self.headers["Host"],
                        path=url.path,
                        query=dict(parse_qsl(url.query, keep_blank_values=True)),
                        form=dict(parse_qsl(body.decode(), keep_blank_values=True)),
                        headers={name.lower(): value for name, value in self.headers.items()},
                    )
                )
                self.send_response(answer.status)
                content = answer.content
                headers = {"Content-Type": "application/json", "Content-Length": str(len(content))} | answer.headers
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError, ssl.SSLError):  # nobody waits any more
                    super().handle()

            def log_message(self, *args: Any) -> None:
                pass

        return RequestHandler


class Roads(httpx.AsyncBaseTransport):
    """The way to providers: loopback as it is, any other host to a provider of the tests, or nowhere.

    A test points all of them somewhere with ``with Roads.leading_to(provider)``; hosts keep their names on the way.
    """

    _target: Provider | None = None

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport(verify=False, trust_env=False)

    @classmethod
    @contextlib.contextmanager
    def leading_to(cls, provider: Provider) -> Iterator[None]:
        """Send requests for other hosts to a provider meanwhile."""
        cls._target, before = provider, cls._target
        try:
            yield
        finally:
            cls._target = before

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        if request.url.host not in {"127.0.0.1", "localhost"}:
            if self._target is None:
                raise httpx.ConnectError("tests reach nobody outside", request=request)
            road = httpx.URL(self._target.url)
            request.url = request.url.copy_with(scheme=road.scheme, host=road.host, port=road.port)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._real.aclose()
