"""What a page knows of the browser: the double submit against forged requests, and the sealed state between pages.

Nothing here says who the user is: that is the SSO session of ``flows.browser``.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Call
from poolhouse.model import ChallengeNameType

XSRF_COOKIE = "XSRF-TOKEN"
STATE_COOKIE = "page-data"
# A page left open longer fails on submit (spec/http/07 §7.1).
PAGE_SECONDS = 300
# How long a password set at sign-up spares typing it again after the confirmation: as long as an SSO session.
PROOF_SECONDS = 3600
_PURPOSE = "login-state"
_MAX_LENGTH = 4096
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class SignedUp(Struct, frozen=True, kw_only=True):
    """Proof that a password was set in this browser just now, by signing up; times are milliseconds.

    It holds for the very password: another one set since, at ``password_set_at``, voids it. ``attribute`` is what the
    code of the sign-up went to.
    """

    sub: str
    password_set_at: int
    at: int
    attribute: str | None = None


class Confirming(Struct, frozen=True, kw_only=True, tag="confirming"):
    """A user who waits for the code of the sign-up; ``destination`` is masked, ``resent`` is told once.

    ``linked`` says that the message holds a link in place of a code.
    """

    username: str
    destination: str | None = None
    proof: SignedUp | None = None
    resent: bool = False
    linked: bool = False


class Recovering(Struct, frozen=True, kw_only=True, tag="recovering"):
    """A user who waits for the code that recovers the password; ``destination`` is masked."""

    username: str
    destination: str | None = None


class Replacing(Struct, frozen=True, kw_only=True, tag="replacing"):
    """A user who must choose a password: the sign-in's own ``Session``, and the attributes still missing."""

    username: str
    session: str
    missing: tuple[str, ...] = ()


class Asking(Struct, frozen=True, kw_only=True, tag="asking"):
    """A sign-in under way: what is asked, with the sign-in's own ``Session``.

    ``choices`` is what the user may choose from, now or in place of what is asked; ``is_first`` says that it shows who
    the user is, and is no second factor. ``destination`` is masked; ``device`` is what the user calls the app.
    While a factor is set up ``enrolling`` is that one, ``secret`` the app's, ``address`` where codes go.
    ``resent`` is told once.
    """

    username: str
    session: str
    challenge: ChallengeNameType
    choices: tuple[ChallengeNameType, ...] = ()
    is_first: bool = False
    destination: str = ""
    device: str = ""
    enrolling: ChallengeNameType | None = None
    secret: str = ""
    address: str = ""
    resent: bool = False


class Equipping(Struct, frozen=True, kw_only=True, tag="equipping"):
    """A user who signed in at ``auth_time``, in seconds, and may add a passkey on the way to the application."""

    sub: str
    auth_time: int


class Told(Struct, frozen=True, kw_only=True, tag="told"):
    """Nothing is under way; the next sign-in page says the text of this key once."""

    key: str


Step = Confirming | Recovering | Replacing | Asking | Equipping | Told


class PageState(Struct, frozen=True, kw_only=True):
    """When the last page was opened, in milliseconds, and which step it is part of.

    ``adds_passkey`` says that a passkey is offered once the user is signed in.
    """

    opened_at: int
    step: Step | None = None
    adds_passkey: bool = False


_DECODER = msgspec.json.Decoder(PageState)


def choose_csrf(call: Call, cookies: Mapping[str, str]) -> str:
    """Return the browser's token, a new one where it has none.

    It stays the same until a sign-in, so that two tabs do not void each other's forms.
    """
    token = cookies.get(XSRF_COOKIE, "")
    return token if _UUID.fullmatch(token) else call.deps.random.uuid()


def is_forged(headers: Mapping[str, str], cookies: Mapping[str, str], form: Mapping[str, str]) -> bool:
    """Tell whether a form was not sent from a page of ours.

    Besides the double submit, the browser's own word counts: a cookie can be planted from a neighbouring
    host name, ``Sec-Fetch-Site`` cannot.
    """
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    cookie = cookies.get(XSRF_COOKIE, "")
    given = form.get("_csrf") or form.get("csrf") or ""
    return not _UUID.fullmatch(cookie) or not hmac.compare_digest(cookie.encode(), given.encode())


def is_late(state: PageState | None, now: int) -> bool:
    """Tell whether a page was open for too long. Scripts that keep no state cookie are not held to it."""
    return state is not None and now - state.opened_at > PAGE_SECONDS * 1000


def seal_state(call: Call, state: PageState, *, csrf: str, pool_id: str, client_id: str) -> str:
    """Return the cookie's value, good only beside this token and at the pages of this client."""
    sealed = call.deps.sealer.seal(_PURPOSE, msgspec.json.encode(state), _context(csrf, pool_id, client_id))
    return urlsafe_b64encode(sealed).decode("ascii")


def find_state(call: Call, cookies: Mapping[str, str], *, pool_id: str, client_id: str) -> PageState | None:
    """Return the state that a browser brings; None where there is none for these pages."""
    value = cookies.get(STATE_COOKIE, "")
    if not value or len(value) > _MAX_LENGTH:
        return None
    try:
        sealed = urlsafe_b64decode(value.encode("ascii"))
        context = _context(cookies.get(XSRF_COOKIE, ""), pool_id, client_id)
        return _DECODER.decode(call.deps.sealer.open(_PURPOSE, sealed, context))
    except (ValueError, SealBroken, msgspec.DecodeError):
        return None


def _context(csrf: str, pool_id: str, client_id: str) -> bytes:
    return f"{pool_id} {client_id} {csrf}".encode()
