"""The inputs of the forms: sign-in names, attributes and passwords."""

import re
from collections.abc import Iterable

from poolhouse.core.aliases import expected_form, find_username_attribute, is_phone_number
from poolhouse.core.attributes import schema_of
from poolhouse.core.passwords import policy_of
from poolhouse.core.pool import Pool
from poolhouse.login.texts import Texts
from poolhouse.login.view import Field
from poolhouse.model import (
    AliasExistsException,
    AttributeDataType,
    CodeMismatchException,
    ExpiredCodeException,
    InvalidPasswordException,
    PasswordHistoryPolicyViolationException,
    SchemaAttributeType,
    ServiceError,
    UsernameExistsException,
)

MAX_USERNAME = 128
MAX_PASSWORD = 256
MAX_CODE = 2048
# Standard attributes: type of the input, and what a browser may fill in (HTML, "autofill detail tokens").
INPUTS = {
    "name": ("text", "name"),
    "given_name": ("text", "given-name"),
    "family_name": ("text", "family-name"),
    "middle_name": ("text", "additional-name"),
    "nickname": ("text", "nickname"),
    "preferred_username": ("text", "nickname"),
    "profile": ("url", "url"),
    "picture": ("url", "photo"),
    "website": ("url", "url"),
    "email": ("email", "email"),
    "gender": ("text", "sex"),
    "birthdate": ("date", "bday"),
    "locale": ("text", "language"),
    "phone_number": ("tel", "tel"),
    "address": ("text", "street-address"),
    "updated_at": ("number", "off"),
}
# The classic name of an attribute's input.
ATTRIBUTE_NAME = "requiredAttributes[{}]"
_SUB = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PHONE_PUNCTUATION = re.compile(r"[\s().\-/]+")


def is_by_email(pool: Pool) -> bool:
    """Tell whether users sign in with their e-mail address only."""
    return pool.username_attributes == {"email"}


def username_label(pool: Pool, text: Texts) -> str:
    """Return what the users of a pool call the name they sign in with."""
    if not pool.username_attributes:
        return text("username")
    return text("email_or_phone" if len(pool.username_attributes) > 1 else next(iter(pool.username_attributes)))


def username_lead(pool: Pool) -> str:
    """Return the key of the classic sentence above the form."""
    if is_by_email(pool):
        return "sign_in_with_email"
    return "sign_in_with_phone" if pool.username_attributes == {"phone_number"} else "sign_in_with_username"


def username_field(pool: Pool, text: Texts, *, id: str, value: str = "", classic: bool, **more: object) -> Field:
    """Return the input of the sign-in name. Its type is text: a user may type the ``sub`` as well."""
    label = username_label(pool, text)
    mode = {frozenset({"email"}): "email", frozenset({"phone_number"}): "tel"}.get(pool.username_attributes, "")
    placeholder = "name@host.com" if is_by_email(pool) else label if classic else ""
    values = {"autocomplete": "username", "inputmode": mode, "placeholder": placeholder} | more
    return Field(id=id, name="username", label=label, value=value, maxlength=MAX_USERNAME, **values)  # type: ignore[arg-type]


def find_wrong_form(pool: Pool, text: Texts, name: str) -> str | None:
    """Return what is wrong with the form of a sign-in name, None where nothing is: the ``sub`` serves in every pool."""
    if not pool.username_attributes or find_username_attribute(pool, name) or _SUB.fullmatch(name):
        return None
    return text.say(expected_form(pool))


def password_field(text: Texts, *, id: str, name: str, label: str, new: bool, **more: object) -> Field:
    """Return the input of a password, ``new`` or the present one."""
    hint = "new-password" if new else "current-password"
    values = {"autocomplete": hint, "maxlength": MAX_PASSWORD} | more
    return Field(id=id, name=name, label=text(label), type="password", **values)  # type: ignore[arg-type]


def code_field(text: Texts, *, id: str = "confirmationCode", name: str = "code", error: str = "") -> Field:
    """Return the input of a code that was sent, or that an app shows."""
    return Field(
        id=id,
        name=name,
        label=text("code"),
        autocomplete="one-time-code",
        inputmode="numeric",
        maxlength=MAX_CODE,
        focus=True,
        error=error,
    )


def password_rules(pool: Pool, text: Texts) -> tuple[str, ...]:
    """Return what the pool's policy asks of a password, in words."""
    policy = policy_of(pool)
    asked = (
        (policy.require_lowercase, "rule_lowercase"),
        (policy.require_uppercase, "rule_uppercase"),
        (policy.require_numbers, "rule_number"),
        (policy.require_symbols, "rule_symbol"),
    )
    length = text("rule_length", count=policy.minimum_length or 6)
    return (length, *(text(key) for is_asked, key in asked if is_asked))


def sign_up_attributes(pool: Pool) -> dict[str, bool]:
    """Return the attributes that the sign-up form asks for, each with whether it must be given.

    They are the required ones and the aliases (spec/http/07 §7.2.2), but not what the sign-in name says already.
    ``preferred_username`` can become an alias only after the confirmation (spec/api/03 §5.2).
    """
    asked = {}
    for name, entry in schema_of(pool).items():
        if name == "sub" or (name in pool.username_attributes and len(pool.username_attributes) == 1):
            continue
        is_alias = name in pool.alias_attributes
        if is_alias and name == "preferred_username":
            continue
        if entry.required or is_alias:
            asked[name] = bool(entry.required) and name not in pool.username_attributes
    return asked


def attribute_field(pool: Pool, text: Texts, name: str, *, required: bool, value: str = "", error: str = "") -> Field:
    """Return the input of an attribute."""
    entry = schema_of(pool)[name]
    kind, autocomplete = INPUTS.get(name, (_kind(entry), "off"))
    return Field(
        id=f"attribute-{name}",
        name=ATTRIBUTE_NAME.format(name),
        label=text(name) if name in INPUTS or name == "zoneinfo" else name.removeprefix("custom:"),
        type=kind,
        value=value,
        autocomplete=autocomplete,
        required=required,
        hint=text("phone_hint") if name == "phone_number" else "",
        error=error,
    )


def address_field(text: Texts, attribute: str, *, value: str, error: str) -> Field:
    """Return the input of the address that codes are to go to."""
    kind, autocomplete = INPUTS[attribute]
    return Field(
        id="mfaAddress",
        name="address",
        label=text(attribute),
        type=kind,
        value=value,
        autocomplete=autocomplete,
        focus=True,
        hint=text("phone_hint") if attribute == "phone_number" else "",
        error=error,
    )


def _kind(entry: SchemaAttributeType) -> str:
    return "number" if entry.attribute_data_type is AttributeDataType.Number else "text"


def clean_phone(value: str) -> str:
    """Return a telephone number without the punctuation that people write in it; any other text as it is."""
    cleaned = _PHONE_PUNCTUATION.sub("", value)
    return cleaned if is_phone_number(cleaned) else value


def place_error(error: ServiceError, names: Iterable[str]) -> str | None:
    """Return the field that a refusal is about, None where it is about the whole form.

    ``names`` are the fields on the page: ``username``, ``password``, ``code`` and attributes.
    """
    shown = set(names)
    found = _about(error)
    if found in shown:
        return found
    return "username" if found in {"email", "phone_number"} and "username" in shown else None


def _about(error: ServiceError) -> str | None:
    match error:
        case InvalidPasswordException() | PasswordHistoryPolicyViolationException():
            return "password"
        case UsernameExistsException():
            return "username"
        case CodeMismatchException() | ExpiredCodeException():
            return "code"
        case AliasExistsException():
            return None
    message = error.message
    if message.startswith("Username "):
        return "username"
    if message.startswith("Invalid email"):
        return "email"
    if message.startswith("Invalid phone"):
        return "phone_number"
    _, schema, rest = message.partition("Attributes did not conform to the schema: ")
    return rest.partition(":")[0] if schema else None
