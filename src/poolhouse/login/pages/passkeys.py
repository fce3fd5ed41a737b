"""``/passkeys/add``: whoever is signed in adds a passkey on the way to the application (spec/http/03 §3.8)."""

import json

from poolhouse.core import passkeys as rules
from poolhouse.core.aliases import familiar_name
from poolhouse.core.user import User
from poolhouse.flows import passkeys
from poolhouse.flows.authorization_answers import find_signed_in, find_user_of, pass_on_signed_in
from poolhouse.flows.browser import COOKIE, BrowserSession, find_browser_session
from poolhouse.flows.calls import UserCall
from poolhouse.login.session import Equipping, Told
from poolhouse.login.view import Button
from poolhouse.login.visit import Visit
from poolhouse.model import ExplicitAuthFlowsType, ServiceError
from poolhouse.web.responses import Response

FIRST = "passkey_first"


def is_passkey_open(visit: Visit) -> bool:
    """Tell whether users of this client may add passkeys: the pages, the pool and the client have them."""
    is_there = passkeys.find_rp_id(visit.call.deps.identity, visit.pool) is not None
    chosen = ExplicitAuthFlowsType.ALLOW_USER_AUTH in visit.client.flows
    return not visit.classic and chosen and rules.are_enabled(visit.pool) and is_there and visit.pool.seat is None


async def show(visit: Visit) -> Response:
    """Offer to add a passkey; whoever is not signed in does that first."""
    if not is_passkey_open(visit):
        return _not_here(visit)
    found = await _find_signed_in(visit)
    if found is None:
        return visit.move("/login", Told(key=FIRST))
    return await _show_form(visit, found[0])


async def submit(visit: Visit) -> Response:
    """Store the passkey that the browser made, if it made one, and go to the application."""
    if not is_passkey_open(visit):
        return _not_here(visit)
    found = await _find_signed_in(visit)
    if found is None:
        return visit.move("/login", Told(key=FIRST))
    if "skipButton" not in visit.form:
        try:
            await passkeys.complete(_as_user(visit, found[0]), _read(visit.form.get("credential", "")))
        except ServiceError as error:
            return await _show_form(visit, found[0], error)
    return await _go_on(visit, *found)


async def _go_on(visit: Visit, user: User, session: BrowserSession) -> Response:
    if not isinstance(visit.step, Equipping):
        # Whoever was signed in before is looked at as at any sign-in page.
        return visit.leave(visit.sign_in_url)
    location = await pass_on_signed_in(visit.call, visit.request, user, session)
    return visit.leave(visit.sign_in_url) if location is None else visit.arrive(location)


async def _find_signed_in(visit: Visit) -> tuple[User, BrowserSession] | None:
    """Return who is signed in: for this request, or at these pages just now, whatever the request says of reuse."""
    cookie, step = visit.cookies.get(COOKIE), visit.step
    if not isinstance(step, Equipping):
        return await find_signed_in(visit.call, visit.request, cookie)
    session = find_browser_session(visit.call, visit.pool, cookie)
    if session is None or (session.sub, session.auth_time) != (step.sub, step.auth_time):
        return None
    user = await find_user_of(visit.call, session)
    return None if user is None else (user, session)


def _as_user(visit: Visit, user: User) -> UserCall:
    call = visit.call
    return UserCall(
        deps=call.deps,
        now=call.now,
        origin=call.origin,
        pool=visit.pool,
        client=visit.client,
        user=user,
        session=None,
        scopes=frozenset(),
        device_key=None,
    )


def _read(credential: str) -> object:
    try:
        return json.loads(credential)
    except (ValueError, RecursionError):
        return None


async def _show_form(visit: Visit, user: User, refusal: ServiceError | None = None) -> Response:
    text, options = visit.text, await passkeys.start(_as_user(visit, user))
    # Browsers list passkeys by this name; one that was made up here would tell nobody anything.
    name = familiar_name(visit.pool, user)
    options["user"] |= {"name": name, "displayName": name}
    return visit.show(
        "passkey.html",
        heading=text("add_heading"),
        lead=text("add_lead"),
        error=text.say(refusal.message) if refusal else None,
        ceremony="create",
        options=json.dumps(options, separators=(",", ":")),
        action=visit.action("/passkeys/add"),
        caption=text("add_button"),
        failed=text("add_failed"),
        exists=text("add_exists"),
        others=[Button("skipButton", text("not_now"))],
        others_action=visit.action("/passkeys/add"),
    )


def _not_here(visit: Visit) -> Response:
    return visit.show(
        "message.html",
        status=404,
        heading=visit.text("error_heading"),
        lead=visit.text("requested_page"),
        detail=visit.text("login_option"),
    )
