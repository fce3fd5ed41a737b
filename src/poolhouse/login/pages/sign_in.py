"""``/login``: signing in, with everything that may follow a right password."""

import json

from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.flows.authorization import pass_on, refuse
from poolhouse.flows.browser import COOKIE
from poolhouse.flows.sign_in import Ask, Attempt, Outcome, start
from poolhouse.login.fields import clean_phone, find_wrong_form, password_field, username_field, username_lead
from poolhouse.login.session import Confirming, Replacing, Told
from poolhouse.login.view import Field, Form
from poolhouse.login.visit import Visit
from poolhouse.model import (
    AuthFlowType,
    ChallengeNameType,
    ExplicitAuthFlowsType,
    InvalidUserPoolConfigurationException,
    PasswordResetRequiredException,
    RecoveryOptionNameType,
    ServiceError,
    UserNotConfirmedException,
)
from poolhouse.web.responses import Response

_ATTRIBUTE = "userAttributes."


async def show(visit: Visit) -> Response:
    """Show the sign-in form; whoever is signed in with this browser goes straight to the application.

    Raises AuthorizationRefused where the request wants no page shown.
    """
    location = await pass_on(visit.call, visit.request, visit.cookies.get(COOKIE))
    if location is not None:
        return visit.leave(location)
    if "none" in visit.request.prompts:
        raise refuse(visit.request, "login_required")
    if visit.request.provider not in {None, LOCAL_PROVIDER}:
        return show_form(visit, error=visit.text("login_option"), status=401)
    notice = visit.text(visit.step.key) if isinstance(visit.step, Told) else None
    return show_form(visit, username=visit.request.parameters.get("login_hint") or "", notice=notice)


async def submit(visit: Visit) -> Response:
    """Check a user name and a password."""
    username, password = clean_phone(visit.given("username")), visit.form.get("password", "")
    if not visit.is_local:
        return show_form(visit, error=visit.text("login_option"), status=401)
    if not username:
        return show_form(visit, wrong={"username": visit.text("fill_in")})
    if not password:
        return _ask_password(visit, username)
    attempt = Attempt(flow=AuthFlowType.USER_PASSWORD_AUTH, username=username, password=password)
    try:
        outcome = await start(visit.call, visit.pool, visit.client, attempt)
        return await proceed(visit, username, outcome)
    except UserNotConfirmedException:
        return visit.move("/confirm", Confirming(username=username))
    except PasswordResetRequiredException:
        return show_form(visit, username=username, error=visit.text("reset_required"), named=True)
    except InvalidUserPoolConfigurationException:
        return cannot_go_on(visit)
    except ServiceError as error:
        return show_form(visit, username=username, error=visit.text.say(error.message), named=True)


def _ask_password(visit: Visit, username: str) -> Response:
    """Show what follows a name without a password.

    Where the user chooses how to sign in, the first page asks for the name only; its form is looked at before the
    next one (spec/http/07 §7.2.1).
    """
    if not is_name_first(visit):
        return show_form(visit, username=username, wrong={"password": visit.text("fill_in")}, named=True)
    wrong = find_wrong_form(visit.pool, visit.text, username)
    if wrong:
        return show_form(visit, username=username, wrong={"username": wrong})
    return show_form(visit, username=username, named=True)


async def proceed(visit: Visit, username: str, outcome: Outcome) -> Response:
    """Go where the sign-in leads: to the application, or to the page that asks what is still to be shown.

    Raises NotAuthorizedException where the step was taken, or the user locked, by somebody else meanwhile.
    """
    if not isinstance(outcome, Ask):
        return await visit.finish(
            outcome.user, auth_time=outcome.auth_time, event_id=outcome.event_id, commit=outcome.commit
        )
    if outcome.challenge is ChallengeNameType.NEW_PASSWORD_REQUIRED and outcome.session:
        asked = json.loads(outcome.parameters.get("requiredAttributes", "[]"))
        missing = tuple(name.removeprefix(_ATTRIBUTE) for name in asked)
        name = outcome.parameters.get("USER_ID_FOR_SRP", username)
        return visit.move("/changePassword", Replacing(username=name, session=outcome.session, missing=missing))
    return cannot_go_on(visit)


def cannot_go_on(visit: Visit) -> Response:
    """Show that the sign-in needs a step for which there is no page: it ends here."""
    return visit.at(None).show(
        "message.html",
        status=400,
        heading=visit.text("error_heading"),
        lead=visit.text("requested_page"),
        detail=visit.text("login_option"),
        sign_in=visit.place.link("/login"),
    )


def is_name_first(visit: Visit) -> bool:
    """Tell whether the sign-in name is asked for on a page of its own."""
    return not visit.classic and ExplicitAuthFlowsType.ALLOW_USER_AUTH in visit.client.flows


def is_sign_up_open(visit: Visit) -> bool:
    """Tell whether users may sign up by themselves."""
    config = visit.pool.settings.admin_create_user_config
    return visit.is_local and not (config is not None and config.allow_admin_create_user_only)


def is_recovery_open(visit: Visit) -> bool:
    """Tell whether users may reset a forgotten password by themselves: somebody but the administrator can."""
    setting = visit.pool.settings.account_recovery_setting
    options = (setting and setting.recovery_mechanisms) or []
    return not options or any(option.name != RecoveryOptionNameType.admin_only for option in options)


def show_form(
    visit: Visit,
    *,
    username: str = "",
    wrong: dict[str, str] | None = None,
    named: bool = False,
    error: str | None = None,
    notice: str | None = None,
    status: int = 200,
) -> Response:
    """Return the sign-in page. ``wrong`` says what is wrong with a field, ``named`` that the name is known."""
    text, place = visit.text, visit.place
    form = None
    second = named and is_name_first(visit)
    if visit.is_local:
        asks_password = second or not is_name_first(visit)
        fields = _fields(visit, username, wrong or {}, named=named, locked=second, asks_password=asks_password)
        form = Form(
            name="cognitoSignInForm",
            button="signInSubmitButton",
            fields=fields,
            action=visit.action("/login"),
            lead=username_lead(visit.pool),
            forgot=place.link("/forgotPassword") if asks_password and is_recovery_open(visit) else None,
            sign_up=place.link("/signup") if is_sign_up_open(visit) and not second else None,
            back=place.link("/login") if second else None,
            caption=text("sign_in" if asks_password else "next"),
        )
    elif error is None:
        error = text("login_option")
    heading = text("enter_password" if second else "sign_in")
    return visit.show("sign_in.html", status=status, heading=heading, form=form, error=error, notice=notice)


def _fields(
    visit: Visit, username: str, wrong: dict[str, str], *, named: bool, locked: bool, asks_password: bool
) -> list[Field]:
    name = username_field(
        visit.pool,
        visit.text,
        id="signInFormUsername",
        value=username,
        classic=visit.classic,
        readonly=locked,
        focus=not named and not username,
        error=wrong.get("username", ""),
    )
    if not asks_password:
        return [name]
    password = password_field(
        visit.text,
        id="signInFormPassword",
        name="password",
        label="password",
        new=False,
        placeholder=visit.text("password") if visit.classic else "",
        focus=named or bool(username),
        error=wrong.get("password", ""),
    )
    return [name, password]
