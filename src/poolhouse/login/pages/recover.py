"""``/forgotPassword`` and ``/confirmforgotPassword``: a new password in the place of a forgotten one."""

from poolhouse.flows.recover import confirm_forgot, forgot
from poolhouse.login.fields import (
    clean_phone,
    code_field,
    password_field,
    password_rules,
    place_error,
    username_field,
)
from poolhouse.login.pages.sign_in import is_recovery_open
from poolhouse.login.session import Recovering, Told
from poolhouse.login.view import Field, Form
from poolhouse.login.visit import Visit
from poolhouse.model import InvalidParameterException, ServiceError
from poolhouse.web.responses import Response


async def show(visit: Visit) -> Response:
    """Ask whose password was forgotten."""
    return show_form(visit)


async def submit(visit: Visit) -> Response:
    """Send the code. Whether there is such a user shows only where the client lets it show."""
    username = clean_phone(visit.given("username"))
    if not username:
        return show_form(visit, wrong=visit.text("fill_in"))
    if not is_recovery_open(visit):
        return show_form(visit, error=visit.text("no_recovery"))
    try:
        details = await forgot(visit.call, visit.pool, visit.client, username, None)
    except InvalidParameterException:
        # spec/http/07 §7.4: the pages' own sentence for a user without a way to recover.
        return show_form(visit, error=visit.text("no_recovery"))
    except ServiceError as error:
        return show_form(visit, error=visit.text.say(error.message))
    return visit.move("/confirmforgotPassword", Recovering(username=username, destination=details.destination))


async def show_reset(visit: Visit) -> Response:
    """Ask for the code and the new password; only the page before leads here."""
    step = visit.step
    return show_reset_form(visit, step, {}) if isinstance(step, Recovering) else visit.leave(visit.sign_in_url)


async def submit_reset(visit: Visit) -> Response:
    """Set the new password, then go back to the sign-in."""
    step = visit.step
    if not isinstance(step, Recovering):
        return visit.leave(visit.sign_in_url)
    code, password = visit.given("code"), visit.form.get("password", "")
    wrong = dict.fromkeys(
        [name for name, value in (("code", code), ("password", password)) if not value], visit.text("fill_in")
    )
    if not wrong and visit.form.get("confirm_password", "") != password:
        wrong = {"confirm_password": visit.text("passwords_differ")}
    if wrong:
        return show_reset_form(visit, step, wrong)
    try:
        await confirm_forgot(visit.call, visit.pool, visit.client, step.username, code, password, None)
    except ServiceError as error:
        sentence = visit.text.say(error.message)
        field = place_error(error, ["code", "password"])
        return show_reset_form(visit, step, {field: sentence} if field else {}, error=None if field else sentence)
    return visit.move("/login", Told(key="password_changed"))


def show_form(visit: Visit, *, wrong: str = "", error: str | None = None) -> Response:
    """Return the page that asks for the sign-in name."""
    text = visit.text
    name = username_field(
        visit.pool,
        text,
        id="forgotPasswordUsername",
        value=visit.given("username") or visit.request.parameters.get("login_hint") or "",
        classic=visit.classic,
        focus=True,
        error=wrong,
    )
    form = Form(
        name="cognitoForgotPasswordForm",
        action=visit.action("/forgotPassword"),
        fields=[name],
        button="resetPasswordButton",
        caption=text("reset_button"),
    )
    return visit.show(
        "form.html",
        heading=text("forgot_heading"),
        # The classic pages say "Username" to everybody (spec/http/03 §3.5).
        lead=text("forgot_lead_classic" if visit.classic else "forgot_lead"),
        form=form,
        error=error,
        sign_in=visit.place.link("/login"),
    )


def show_reset_form(visit: Visit, step: Recovering, wrong: dict[str, str], error: str | None = None) -> Response:
    """Return the page that asks for the code and the new password."""
    text = visit.text
    sent = text("reset_sent", destination=step.destination) if step.destination else text("reset_expected")
    form = Form(
        name="cognitoConfirmForgotPasswordForm",
        action=visit.action("/confirmforgotPassword"),
        fields=[code_field(text, error=wrong.get("code", "")), *new_password_fields(visit, wrong)],
        button="changePasswordButton",
        caption=text("change_button"),
    )
    return visit.show(
        "form.html",
        heading=text("reset_heading"),
        lead=sent,
        form=form,
        error=error,
        sign_in=visit.place.link("/login"),
    )


def new_password_fields(visit: Visit, wrong: dict[str, str]) -> list[Field]:
    """Return the two inputs of a new password."""
    text = visit.text
    first = password_field(
        text,
        id="newPassword",
        name="password",
        label="new_password",
        new=True,
        rules=password_rules(visit.pool, text),
        focus=True,
        error=wrong.get("password", ""),
    )
    again = password_field(
        text,
        id="confirmPassword",
        name="confirm_password",
        label="new_password_again",
        new=True,
        error=wrong.get("confirm_password", ""),
    )
    return [first, again]
