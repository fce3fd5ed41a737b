"""One request to a page: what is known of it, and the ways to answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec.structs import replace as with_members

from poolhouse.core.client import Client
from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.flows.authorization import Authorization
from poolhouse.flows.authorization_answers import grant
from poolhouse.flows.browser import (
    COOKIE,
    BrowserSession,
    find_browser_session,
    open_browser_session,
    seal_browser_session,
)
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.session_tracking import begin_sso_session
from poolhouse.flows.sign_in_loop import SignedIn
from poolhouse.login.branding import Style
from poolhouse.login.session import STATE_COOKIE, XSRF_COOKIE, Equipping, PageState, Step, Told, seal_state
from poolhouse.login.texts import Texts
from poolhouse.login.view import View
from poolhouse.storage import Tx
from poolhouse.web.domains import DomainContext
from poolhouse.web.responses import Header, Response, clear_cookie, domain_page, domain_redirect, set_cookie
from poolhouse.web.round_trips import go_to_provider

# What a form carries on of the query; links keep all of it (spec/http/03 §3.1.1).
RECOGNISED = frozenset(
    {
        "client_id", "redirect_uri", "response_type", "scope", "code_challenge", "code_challenge_method", "nonce",
        "state", "resource", "max_age", "acr_values", "prompt", "identity_provider", "idp_identifier",
    }
)  # fmt: skip
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request is: the domain, and how its pages look and read."""

    call: PublicCall
    domain: DomainContext
    view: View
    texts: Texts
    csrf: str
    style: Style
    style_name: str
    query: str = ""
    redirect_scheme: str | None = None

    @property
    def root(self) -> str:
        """The path below which the domain's pages live, without a final slash."""
        return urlsplit(self.domain.base_url).path

    def link(self, path: str) -> str:
        """Return the address of another page with the whole query of this one."""
        return f"{self.root}{path}{'?' if self.query else ''}{self.query}"

    def show(
        self, template: str, *, status: int = 200, cookies: list[Header] | None = None, **context: Any
    ) -> Response:
        """Return a page."""
        html = self.view.render(
            template,
            self.texts,
            theme=self.style,
            theme_file=lambda name: f"{self.root}/static/{self.style_name}/{self.style.version}/{name}",
            static=lambda name: f"{self.root}{self.view.static_path}/{name}",
            csrf=self.csrf,
            classic=not self.domain.managed,
            **context,
        )
        return domain_page(
            html,
            request_id=self.call.origin.request_id,
            status=status,
            extra=cookies or [],
            policy=page_policy(self.redirect_scheme),
            language="en-US" if self.texts.language == "en" else self.texts.language,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request to a page for signing in to an application: its authorization request is in order.

    ``state`` is what the browser brought along; ``form`` is empty unless the request is a POST.
    """

    place: Place
    request: Authorization
    cookies: Mapping[str, str]
    state: PageState | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def call(self) -> PublicCall:
        """The call, for flows."""
        return self.place.call

    @property
    def pool(self) -> Pool:
        """The pool of the domain."""
        return self.request.pool

    @property
    def client(self) -> Client:
        """The application's client."""
        return self.request.client

    @property
    def text(self) -> Texts:
        """The words of the page."""
        return self.place.texts

    @property
    def classic(self) -> bool:
        """Whether the domain shows the classic pages."""
        return not self.place.domain.managed

    @property
    def step(self) -> Step | None:
        """What is under way in this browser."""
        return None if self.state is None else self.state.step

    @property
    def is_local(self) -> bool:
        """Whether the pool's own users may sign in to this client."""
        return LOCAL_PROVIDER in (self.client.settings.supported_identity_providers or ())

    def given(self, name: str) -> str:
        """Return what was typed into a field, without blanks around it."""
        return self.form.get(name, "").strip()

    def action(self, path: str) -> str:
        """Return the address that a form is sent to: with the parameters that count."""
        pairs = parse_qsl(self.place.query)
        return f"{self.place.root}{path}?{urlencode([pair for pair in pairs if pair[0] in RECOGNISED])}"

    def show(self, template: str, **context: Any) -> Response:
        """Return a page, opened now; the step under way goes on, but what was to be told is told."""
        step = None if isinstance(self.step, Told) else self.step
        return self.place.show(
            template, cookies=self._cookies(step, self.place.csrf, adds_passkey=self._adds_passkey), **context
        )

    def at(self, step: Step | None) -> "Visit":
        """Return the visit with another step under way."""
        return self._in(step, adds_passkey=self._adds_passkey)

    def adding_passkey(self, wanted: bool) -> "Visit":
        """Return the visit with or without the wish to add a passkey once the user is signed in."""
        return self._in(self.step, adds_passkey=wanted)

    def _in(self, step: Step | None, *, adds_passkey: bool) -> "Visit":
        return replace(self, state=PageState(opened_at=self.call.now, step=step, adds_passkey=adds_passkey))

    @property
    def _adds_passkey(self) -> bool:
        return self.state is not None and self.state.adds_passkey

    def move(self, path: str, step: Step) -> Response:
        """Return the redirect to another page, where ``step`` goes on."""
        location = f"{self.place.domain.base_url}{path}?{self.place.query}"
        cookies = self._cookies(step, self.place.csrf, adds_passkey=self._adds_passkey)
        return self._redirect(location, cookies)

    async def finish(self, signed_in: SignedIn) -> Response:
        """Return the redirect of a user who signed in just now: to the application, or first to where passkeys are added.

        The browser gets its SSO session and, since it has more rights now, a new token against forged requests.
        Raises AuthorizationRefused where a trigger fails.
        """
        user = signed_in.user
        before = find_browser_session(self.call, self.pool, self.cookies.get(COOKIE))
        session = await open_browser_session(
            self.call,
            self.pool,
            user,
            before,
            auth_time=signed_in.auth_time,
            event_id=signed_in.event_id,
            methods=signed_in.methods,
            provider=signed_in.provider,
            vouched=signed_in.vouched,
        )
        session = with_members(session, at_provider=signed_in.at_provider)

        def write(tx: Tx) -> None:
            signed_in.commit(tx)
            begin_sso_session(tx, self.call, self.client, user, session, before)

        if self._adds_passkey:
            await self.call.store.write(write)
            step = Equipping(sub=user.sub, auth_time=session.auth_time)
            location = f"{self.place.domain.base_url}/passkeys/add?{self.place.query}"
            return self._redirect(location, self._signed_in_cookies(session, step))
        location = await grant(self.call, self.request, user, session, commit=write)
        return self._redirect(location, self._signed_in_cookies(session, None))

    def _signed_in_cookies(self, session: BrowserSession, step: Step | None) -> list[Header]:
        """Return the cookies of a browser that has just got more rights; ``step`` is still to be taken, if any."""
        domain, csrf = self.place.domain, self.call.deps.random.uuid()
        cookies = [
            set_cookie(
                domain.session_scope,
                COOKIE,
                seal_browser_session(self.call, session),
                max_age=session.expires_at // 1000 - session.auth_time,
                now=self.call.now,
            ),
            clear_cookie(domain.cookie_scope, XSRF_COOKIE),
        ]
        if step is not None:
            return [*cookies, *self._cookies(step, csrf, adds_passkey=False)]
        return [
            *cookies,
            set_cookie(domain.cookie_scope, XSRF_COOKIE, csrf),
            clear_cookie(domain.cookie_scope, STATE_COOKIE),
        ]

    @property
    def sign_in_url(self) -> str:
        """The absolute address of the sign-in page of this request."""
        return f"{self.place.domain.base_url}/login?{self.place.query}"

    async def go_to(self, provider: IdentityProvider) -> Response:
        """Return the redirect to an identity provider; raises AuthorizationRefused."""
        return await go_to_provider(self.call, self.place.domain, self.request, provider, self.cookies, [])

    def leave(self, location: str) -> Response:
        """Return a redirect to an absolute address that ends the visit."""
        return self._redirect(location, [])

    def arrive(self, location: str) -> Response:
        """Return a redirect to the application, after which nothing is under way any more."""
        return self._redirect(location, [clear_cookie(self.place.domain.cookie_scope, STATE_COOKIE)])

    def _redirect(self, location: str, cookies: list[Header]) -> Response:
        return domain_redirect(location, request_id=self.call.origin.request_id, extra=cookies)

    def _cookies(self, step: Step | None, csrf: str, *, adds_passkey: bool) -> list[Header]:
        scope = self.place.domain.cookie_scope
        state = PageState(opened_at=self.call.now, step=step, adds_passkey=adds_passkey)
        sealed = seal_state(self.call, state, csrf=csrf, pool_id=self.pool.id, client_id=self.client.id)
        return [set_cookie(scope, XSRF_COOKIE, csrf), set_cookie(scope, STATE_COOKIE, sealed)]


def page_policy(redirect_scheme: str | None) -> str:
    """Return the Content-Security-Policy of a page.

    Chromium applies ``form-action`` to every redirect that follows a form: to the application's callback, and to
    wherever the application goes from there. That last host is not ours to know, so the scheme of the callback is
    allowed and not only its host; ``http:`` includes https.
    """
    if redirect_scheme is None:
        return _POLICY
    schemes = "http:" if redirect_scheme == "http" else " ".join(dict.fromkeys(["https:", f"{redirect_scheme}:"]))
    return f"{_POLICY} {schemes}"
