"""``/signup``: making an account."""

import msgspec

from poolhouse.core.messages import is_link_sure
from poolhouse.core.terms import PRIVACY_POLICY, TERMS_OF_USE, terms_links
from poolhouse.flows.sign_up import sign_up
from poolhouse.login.fields import (
    ATTRIBUTE_NAME,
    attribute_field,
    clean_phone,
    password_field,
    password_rules,
    place_error,
    sign_up_attributes,
    username_field,
)
from poolhouse.login.pages.confirm import await_message
from poolhouse.login.pages.confirm import show_form as show_confirmation
from poolhouse.login.pages.proof import prove, sign_in
from poolhouse.login.pages.sign_in import is_sign_up_open
from poolhouse.login.session import Confirming
from poolhouse.login.view import Field, Form
from poolhouse.login.visit import Visit
from poolhouse.model import (
    AttributeType,
    CodeDeliveryFailureException,
    LimitExceededException,
    ServiceError,
    SignUpRequest,
)
from poolhouse.web.responses import Response


async def show(visit: Visit) -> Response:
    """Show the form."""
    if not is_sign_up_open(visit):
        return _refused(visit)
    return await show_form(visit, {})


async def submit(visit: Visit) -> Response:
    """Make the account, then ask for the code that was sent."""
    if not is_sign_up_open(visit):
        return _refused(visit)
    username, password = clean_phone(visit.given("username")), visit.form.get("password", "")
    attributes = _given_attributes(visit)
    wrong = _find_missing(visit, username, password, attributes)
    if wrong:
        return await show_form(visit, wrong)
    request = _request(visit, username, password, attributes)
    if request is None:
        return await show_form(visit, {"username": visit.text("bad_value")})
    try:
        answer = await sign_up(visit.call, visit.pool, visit.client, request)
    except (CodeDeliveryFailureException, LimitExceededException) as error:
        # The account exists all the same (spec/api/03 §5.9); the next page can send another code.
        step = Confirming(username=username, linked=is_link_sure(visit.pool))
        return show_confirmation(visit.at(step), step, error=visit.text.say(error.message))
    except ServiceError as error:
        return await _show_error(visit, error, attributes)
    user = await visit.call.store.read(lambda tx: tx.users.find_by_sub(visit.pool.id, answer.user_sub))
    if user is None or not (answer.user_confirmed or answer.code_delivery_details):
        # Nobody but an administrator can confirm this account (spec/http/03 §3.3).
        return visit.leave(f"{visit.place.domain.base_url}/error?client_id={visit.client.id}")
    if answer.user_confirmed:
        return await sign_in(visit, username, user)
    sent = answer.code_delivery_details
    proof = prove(visit, user, sent.attribute_name if sent else None)
    step = Confirming(username=username, proof=proof)
    return visit.move("/confirm", await_message(visit, step, sent) if sent else step)


async def show_form(visit: Visit, wrong: dict[str, str], error: str | None = None) -> Response:
    """Return the sign-up page with what was typed, passwords left out; ``wrong`` tells by field what is wrong."""
    text = visit.text
    form = Form(
        name="cognitoSignUpForm",
        action=visit.action("/signup"),
        fields=_fields(visit, wrong),
        button="signUpButton",
        caption=text("sign_up"),
    )
    return visit.show(
        "form.html",
        heading=text("sign_up_classic" if visit.classic else "create_account"),
        form=form,
        error=error,
        agreement=[] if visit.classic else await _agreement(visit),
        sign_in=visit.place.link("/login"),
        have_account=True,
    )


async def _agreement(visit: Visit) -> list[tuple[str, str | None]]:
    """Return what people agree to by signing up, as words, each with where they lead; empty without both documents."""
    documents = await visit.call.store.read(lambda tx: tx.terms.of_client(visit.client.id))
    links = terms_links(documents, visit.text.language)
    if not links:
        return []
    named = {
        "terms": (visit.text("terms_of_use"), links[TERMS_OF_USE]),
        "privacy": (visit.text("privacy_policy"), links[PRIVACY_POLICY]),
    }
    sentence: list[tuple[str, str | None]] = []
    for words, name in visit.text.pieces("agreement"):
        sentence += [(words, None), *([named[name]] if name else [])]
    return sentence


def _fields(visit: Visit, wrong: dict[str, str]) -> list[Field]:
    pool, text = visit.pool, visit.text
    name = username_field(
        pool,
        text,
        id="signUpFormUsername",
        value=visit.given("username"),
        classic=visit.classic,
        hint=text("phone_hint") if pool.username_attributes == {"phone_number"} else "",
        error=wrong.get("username", ""),
        focus=True,
    )
    attributes = [
        attribute_field(
            pool,
            text,
            attribute,
            required=required,
            value=visit.given(ATTRIBUTE_NAME.format(attribute)),
            error=wrong.get(attribute, ""),
        )
        for attribute, required in sign_up_attributes(pool).items()
    ]
    password = password_field(
        text,
        id="signUpFormPassword",
        name="password",
        label="password",
        new=True,
        rules=password_rules(pool, text),
        error=wrong.get("password", ""),
    )
    return [name, *attributes, password]


def _given_attributes(visit: Visit) -> dict[str, str]:
    given = {name: clean_phone(visit.given(ATTRIBUTE_NAME.format(name))) for name in sign_up_attributes(visit.pool)}
    return {name: value for name, value in given.items() if value}


def _find_missing(visit: Visit, username: str, password: str, attributes: dict[str, str]) -> dict[str, str]:
    required = [name for name, is_required in sign_up_attributes(visit.pool).items() if is_required]
    missing = [name for name in required if name not in attributes]
    missing += [name for name, value in (("username", username), ("password", password)) if not value]
    return dict.fromkeys(missing, visit.text("fill_in"))


def _request(visit: Visit, username: str, password: str, attributes: dict[str, str]) -> SignUpRequest | None:
    """Return the request, None where a value is one that the API would not decode."""
    request = SignUpRequest(
        client_id=visit.client.id,
        username=username,
        password=password,
        user_attributes=[AttributeType(name=name, value=value) for name, value in attributes.items()],
    )
    try:
        return msgspec.convert(msgspec.to_builtins(request), SignUpRequest)
    except msgspec.ValidationError:
        return None


async def _show_error(visit: Visit, error: ServiceError, attributes: dict[str, str]) -> Response:
    sentence = visit.text.say(error.message)
    field = place_error(error, ["username", "password", *sign_up_attributes(visit.pool), *attributes])
    return await show_form(visit, {field: sentence} if field else {}, error=None if field else sentence)


def _refused(visit: Visit) -> Response:
    return visit.show(
        "message.html",
        status=403,
        heading=visit.text("sign_up"),
        lead=visit.text("sign_up_refused"),
        sign_in=visit.place.link("/login"),
    )
