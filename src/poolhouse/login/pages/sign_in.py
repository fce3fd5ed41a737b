"""``/login``: signing in, with everything that may follow a right password."""

from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.core.messages import is_link_sure
from poolhouse.flows.authorization import refuse
from poolhouse.flows.authorization_answers import pass_on
from poolhouse.flows.browser import COOKIE
from poolhouse.flows.sign_in import Attempt, start
from poolhouse.flows.sign_in_loop import Ask, Outcome
from poolhouse.flows.user_auth import Choice
from poolhouse.login.fields import clean_phone, find_wrong_form, password_field, username_field, username_lead
from poolhouse.login.pages.passkeys import FIRST
from poolhouse.login.pages.proceed import cannot_go_on, choices_of, is_over, path_of, proceed, reply
from poolhouse.login.pages.providers import SEARCH_BUTTON, SEARCHED, find_section, leave_by_search, may_leave
from poolhouse.login.pages.step_up import find_near, show_step_up, step_up
from poolhouse.login.session import Asking, Confirming, Told
from poolhouse.login.view import Button, Field, Form
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


async def show(visit: Visit) -> Response:
    """Show the sign-in form; whoever is signed in with this browser goes straight to the application.

    A request that names an identity provider goes there. Raises AuthorizationRefused where it wants no page shown.
    """
    cookie = visit.cookies.get(COOKIE)
    location = await pass_on(visit.call, visit.request, cookie)
    if location is not None:
        return visit.leave(location)
    if "none" in visit.request.prompts:
        raise refuse(visit.request, "login_required")
    if visit.request.provider is not None:
        return await visit.go_to(visit.request.provider)
    if not _is_offered(visit, visit.request.named):
        return show_form(visit, error=visit.text("login_option"), status=401)
    told = visit.step.key if isinstance(visit.step, Told) else None
    visit = visit.adding_passkey(told == FIRST)
    found = await find_near(visit)
    if found is not None:
        return show_step_up(visit, found[0])
    return show_form(
        visit,
        username=visit.request.parameters.get("login_hint") or "",
        notice=None if told is None else visit.text(told),
    )


def _is_offered(visit: Visit, named: str | None) -> bool:
    """Tell whether what a request names in the place of an identity provider is the pool itself, or nothing."""
    return named is None or (named == LOCAL_PROVIDER and visit.is_local)


async def submit(visit: Visit) -> Response:
    """Check a user name, and the password with it or after it; or look for the provider of an e-mail address."""
    if SEARCH_BUTTON in visit.form:
        return leave_by_search(visit) or show_form(visit, wrong={SEARCHED: visit.text("no_provider")})
    username, password = clean_phone(visit.given("username")), visit.form.get("password", "")
    if not visit.is_local:
        return show_form(visit, error=visit.text("login_option"), status=401)
    if "stepUpButton" in visit.form:
        return await step_up(visit)
    if not username:
        return show_form(visit, wrong={"username": visit.text("fill_in")})
    asked = _find_asked(visit, username)
    if not password and (asked or not is_name_first(visit)):
        return show_form(visit, username=username, wrong={"password": visit.text("fill_in")}, named=True)
    wrong = None if password else find_wrong_form(visit.pool, visit.text, username)
    if wrong:
        return show_form(visit, username=username, wrong={"username": wrong})
    try:
        outcome = await _begin(visit, username, password, asked)
        # A sign-in that begins knows nothing of one that was left before it, perhaps by somebody else.
        return await _go_on(visit if asked else visit.at(None), username, outcome)
    except UserNotConfirmedException:
        return visit.move("/confirm", Confirming(username=username, linked=is_link_sure(visit.pool)))
    except PasswordResetRequiredException:
        return show_form(visit, username=username, error=visit.text("reset_required"), named=bool(password))
    except InvalidUserPoolConfigurationException:
        return cannot_go_on(visit)
    except ServiceError as error:
        if is_over(error):
            return show_form(visit.at(None), error=visit.text("something_wrong"))
        return show_form(visit, username=username, error=visit.text.say(error.message), named=bool(password))


def _find_asked(visit: Visit, username: str) -> Asking | None:
    """Return the sign-in under way in which the user of a name chooses what to show."""
    step = visit.step
    return step if isinstance(step, Asking) and step.is_first and step.username == username else None


async def _begin(visit: Visit, username: str, password: str, asked: Asking | None) -> Outcome:
    """Begin a sign-in, or go on with the one that asked for the password; raises as ``flows.sign_in.start``.

    Where the user chooses how to sign in, the first page asks for the name only (spec/http/07 §7.2.1).
    """
    if asked is not None:
        return await reply(visit, asked, ChallengeNameType.SELECT_CHALLENGE, ANSWER="PASSWORD", PASSWORD=password)
    chosen = Choice(preferred=ChallengeNameType.PASSWORD if password else None)
    attempt = Attempt(
        flow=AuthFlowType.USER_AUTH if is_name_first(visit) else AuthFlowType.USER_PASSWORD_AUTH,
        username=username,
        password=password or None,
        choice=chosen,
        targets=visit.request.targets,
    )
    return await start(visit.call, visit.pool, visit.client, attempt)


async def _go_on(visit: Visit, username: str, outcome: Outcome) -> Response:
    """Go where the sign-in leads; what there is no choice about is asked for at once."""
    if not isinstance(outcome, Ask) or outcome.challenge is not ChallengeNameType.SELECT_CHALLENGE:
        return await proceed(visit, username, outcome)
    choices = choices_of(outcome)
    step = Asking(
        username=username,
        session=outcome.session or "",
        challenge=ChallengeNameType.SELECT_CHALLENGE,
        choices=choices,
        is_first=True,
    )
    if choices == (ChallengeNameType.PASSWORD,):
        return show_form(visit.at(step), username=username, named=True)
    if len(choices) > 1:
        return visit.move(path_of(step), step)
    chosen = await reply(visit, step, ChallengeNameType.SELECT_CHALLENGE, ANSWER=choices[0])
    return await proceed(visit.at(step), username, chosen)


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
    text, place, wrong = visit.text, visit.place, wrong or {}
    form = None
    second = named and is_name_first(visit)
    section = None if second else find_section(visit, address=visit.given(SEARCHED), error=wrong.get(SEARCHED, ""))
    if visit.is_local:
        asks_password = second or not is_name_first(visit)
        fields = _fields(visit, username, wrong, named=named, locked=second, asks_password=asks_password)
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
    elif error is None and section is None:
        error = text("login_option")
    asked = _find_asked(visit, username)
    others = second and asked is not None and len(asked.choices) > 1
    return may_leave(visit).show(
        "sign_in.html",
        status=status,
        heading=text("enter_password" if second else "sign_in"),
        form=form,
        section=section,
        error=error,
        notice=notice,
        others=[Button("otherOptionsButton", text("other_options"))] if others else [],
        others_action=visit.action("/challenge"),
    )


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
        focus=not named and not username and SEARCHED not in wrong,
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
