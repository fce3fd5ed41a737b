"""A level that the present sign-in does not reach: whoever is signed in shows one more factor (spec/http/04 §4.11)."""

from poolhouse.core.acr import Methods
from poolhouse.core.aliases import familiar_name
from poolhouse.core.user import User
from poolhouse.flows.authorization_answers import find_signed_in, is_step_away
from poolhouse.flows.browser import COOKIE, BrowserSession
from poolhouse.flows.sign_in import Attempt, start
from poolhouse.flows.user_auth import Choice
from poolhouse.login.pages.proceed import cannot_go_on, proceed
from poolhouse.login.view import Form
from poolhouse.login.visit import Visit
from poolhouse.model import AuthFlowType, InvalidUserPoolConfigurationException, ServiceError
from poolhouse.web.responses import Response


async def find_near(visit: Visit) -> tuple[User, BrowserSession] | None:
    """Return who is signed in with this browser and one factor away from the level that the request wants."""
    if not visit.request.targets:
        return None
    found = await find_signed_in(visit.call, visit.request, visit.cookies.get(COOKIE))
    return found if found is not None and is_step_away(visit.request, *found) else None


def show_step_up(visit: Visit, user: User, error: str | None = None) -> Response:
    """Return the page that says that one more factor is asked for: no code is sent before somebody wants it."""
    text = visit.text
    form = Form(
        name="cognitoStepUpForm", action=visit.action("/login"), fields=[], button="stepUpButton", caption=text("next")
    )
    return visit.show(
        "form.html",
        heading=text("step_up_heading"),
        lead=text("step_up_lead", username=familiar_name(visit.pool, user)),
        form=form,
        error=error,
        another=f"{visit.place.link('/login')}&prompt=login",
    )


async def step_up(visit: Visit) -> Response:
    """Ask for the factor that is missing; what the present sign-in has shown counts."""
    found = await find_near(visit)
    if found is None:
        return visit.leave(visit.sign_in_url)
    user, session = found
    shown: Methods = frozenset(session.methods)
    attempt = Attempt(
        flow=AuthFlowType.USER_AUTH,
        username=user.username,
        targets=visit.request.targets,
        choice=Choice(shown=shown),
    )
    try:
        outcome = await start(visit.call, visit.pool, visit.client, attempt)
        return await proceed(visit.at(None), user.username, outcome)
    except InvalidUserPoolConfigurationException:
        return cannot_go_on(visit)
    except ServiceError as error:
        return show_step_up(visit, user, visit.text.say(error.message))
