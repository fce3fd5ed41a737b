"""``/changePassword``: a password of the user's own, asked of whoever signed in with a temporary one."""

from poolhouse.core.attributes import schema_of
from poolhouse.flows.sign_in import Reply, answer
from poolhouse.login.fields import ATTRIBUTE_NAME, attribute_field, clean_phone, place_error
from poolhouse.login.pages.proceed import cannot_go_on, proceed
from poolhouse.login.pages.recover import new_password_fields
from poolhouse.login.pages.sign_in import show_form as show_sign_in
from poolhouse.login.session import Replacing
from poolhouse.login.view import Form
from poolhouse.login.visit import Visit
from poolhouse.model import (
    ChallengeNameType,
    InvalidUserPoolConfigurationException,
    NotAuthorizedException,
    ServiceError,
)
from poolhouse.web.responses import Response

_ATTRIBUTE = "userAttributes."


async def show(visit: Visit) -> Response:
    """Show the form; only the sign-in leads here."""
    step = visit.step
    return show_form(visit, step, {}) if isinstance(step, Replacing) else visit.leave(visit.sign_in_url)


async def submit(visit: Visit) -> Response:
    """Set the password and go on with the sign-in."""
    step = visit.step
    if not isinstance(step, Replacing):
        return visit.leave(visit.sign_in_url)
    password = visit.form.get("password", "")
    given = {name: clean_phone(visit.given(ATTRIBUTE_NAME.format(name))) for name in step.missing}
    wrong = dict.fromkeys([name for name, value in given.items() if not value], visit.text("fill_in"))
    if not password:
        wrong["password"] = visit.text("fill_in")
    elif visit.form.get("confirm_password", "") != password:
        wrong["confirm_password"] = visit.text("passwords_differ")
    if wrong:
        return show_form(visit, step, wrong)
    responses = {"USERNAME": step.username, "NEW_PASSWORD": password}
    responses |= {_ATTRIBUTE + name: value for name, value in given.items()}
    reply = Reply(challenge=ChallengeNameType.NEW_PASSWORD_REQUIRED, session=step.session, responses=responses)
    try:
        outcome = await answer(visit.call, visit.pool, visit.client, reply)
        return await proceed(visit, step.username, outcome)
    except InvalidUserPoolConfigurationException:
        return cannot_go_on(visit)
    except NotAuthorizedException:
        # The session is over, spent or void: the sign-in begins again.
        return show_sign_in(visit.at(None), error=visit.text("something_wrong"))
    except ServiceError as error:
        sentence = visit.text.say(error.message)
        field = place_error(error, ["password", *step.missing])
        return show_form(visit, step, {field: sentence} if field else {}, error=None if field else sentence)


def show_form(visit: Visit, step: Replacing, wrong: dict[str, str], error: str | None = None) -> Response:
    """Return the page that asks for the new password and the attributes still missing."""
    text = visit.text
    attributes = [
        attribute_field(
            visit.pool,
            text,
            name,
            required=True,
            value=visit.given(ATTRIBUTE_NAME.format(name)),
            error=wrong.get(name, ""),
        )
        for name in step.missing
        if name in schema_of(visit.pool)
    ]
    form = Form(
        name="cognitoChangePasswordForm",
        action=visit.action("/changePassword"),
        fields=[*new_password_fields(visit, wrong), *attributes],
        button="changePasswordButton",
        caption=text("change_button"),
    )
    return visit.show(
        "form.html",
        heading=text("change_heading"),
        lead=text("change_lead"),
        form=form,
        error=error,
        sign_in=visit.place.link("/login"),
    )
