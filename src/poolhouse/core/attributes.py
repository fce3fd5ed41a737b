"""Attributes of users: the schema's rules, who may read and write them, and what a change means."""

from collections.abc import Callable, Iterable, Mapping

from poolhouse.core.aliases import CONTACTS, is_email, is_phone_number
from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.model import (
    AttributeDataType,
    AttributeType,
    InvalidParameterException,
    NotAuthorizedException,
    SchemaAttributeType,
)

# Never writable by users, whatever the client says (spec/http/05 §5.1).
GUARDED = frozenset({"sub", "email_verified", "phone_number_verified", "identities"})
# Given by the service alone, whoever asks.
GIVEN = frozenset({"sub", "identities"})
NOT_CONFORMING = "Attributes did not conform to the schema: "
Schema = dict[str, SchemaAttributeType]


def schema_of(pool: Pool) -> Schema:
    """Return the attributes that users of a pool may have, by name and in the pool's order."""
    return pool.schema


def from_wire(attributes: Iterable[AttributeType] | None) -> dict[str, str]:
    """Return attributes by name; of a name given twice the last value counts.

    Raises InvalidParameterException for a value that is null.
    """
    values = {}
    for attribute in attributes or ():
        if attribute.value is None:
            raise InvalidParameterException(f"Attribute value for {attribute.name} must not be null")
        values[attribute.name] = attribute.value
    return values


def to_wire(sub: str, attributes: Mapping[str, str], names: frozenset[str] | None = None) -> list[AttributeType]:
    """Return a user's attributes as the API lists them, ``sub`` first; ``names`` limits them."""
    shown = [AttributeType(name="sub", value=sub)]
    shown += [AttributeType(name=name, value=value) for name, value in attributes.items()]
    return shown if names is None else [attribute for attribute in shown if attribute.name in names]


def readable(pool: Pool, client: Client) -> frozenset[str]:
    """Return the names of the attributes that a client may see (spec/api/02 §5.3); ``sub`` is always one."""
    return pool.readable if client.readable is None else client.readable


def check_writable(pool: Pool, client: Client, names: Iterable[str]) -> None:
    """Check that users of a client may write these attributes; raises NotAuthorizedException.

    Whether an attribute is mutable is another question, which ``decide_changes`` answers.
    """
    named = client.writable
    schema = schema_of(pool)
    for name in names:
        entry = schema.get(name)
        required = entry is not None and bool(entry.required)
        developers = name.startswith("dev:") or (entry is not None and bool(entry.developer_only_attribute))
        unlisted = named is not None and name not in named and not required
        if name in GUARDED or developers or unlisted:
            raise NotAuthorizedException("A client attempted to write unauthorized attribute")


def check_new(pool: Pool, attributes: Mapping[str, str], *, complete: bool) -> dict[str, str]:
    """Return the attributes of a new user in their stored form, without blank ones.

    ``complete`` asks for the required ones, which an administrator may leave out (spec/api/03 §8.3).
    Raises InvalidParameterException.
    """
    schema = schema_of(pool)
    given = {_stored_name(schema, name): value for name, value in attributes.items()}
    problems = [
        (name, "The attribute is required")
        for name, entry in schema.items()
        if complete and entry.required and name != "sub" and not given.get(name)
    ]
    problems += _problems(schema, given)
    problems += [(name, "Attribute cannot be updated.") for name in given if name in GIVEN and name in schema]
    if problems:
        lines = "".join(f"{name}: {text}\n" for name, text in problems)
        raise InvalidParameterException(f"{NOT_CONFORMING}{lines}")
    _check_contacts(given)
    stored = {name: _normal(schema[name], value) for name, value in given.items() if value}
    check_verified_flags(stored, stored)
    return stored


def check_changes(pool: Pool, changes: Mapping[str, str]) -> dict[str, str]:
    """Return changed attributes in their stored form; blank values, which delete, stay blank.

    Raises InvalidParameterException, also for attributes that cannot change (spec/api/03 §9.1).
    """
    schema = schema_of(pool)
    given = {_stored_name(schema, name): value for name, value in changes.items()}
    problems = _problems(schema, given) + [
        (name, "Attribute cannot be updated.")
        for name in given
        if name in schema and (name in GIVEN or not schema[name].mutable)
    ]
    if problems:
        raise InvalidParameterException("".join(f"user.{name}: {text}\n" for name, text in problems))
    check_deletable(pool, [name for name, value in given.items() if not value])
    _check_contacts(given)
    return {name: _normal(schema[name], value) if value else "" for name, value in given.items()}


def check_deletable(pool: Pool, names: Iterable[str]) -> list[str]:
    """Return the stored names of attributes to delete; raises InvalidParameterException (spec/api/03 §9.3)."""
    schema = schema_of(pool)
    stored = [_stored_name(schema, name) for name in names]
    for name in stored:
        if name not in schema:
            raise InvalidParameterException(
                f"Invalid user attributes: user.{name}: Attribute does not exist in the schema.\n"
            )
        if schema[name].required:
            raise InvalidParameterException(f"Invalid user attributes: {name}: Required attribute cannot be deleted.\n")
        if not schema[name].mutable or name == "identities":
            raise InvalidParameterException(f"user.{name}: Attribute cannot be updated.\n")
    return stored


def check_verified_flags(changes: Mapping[str, str], attributes: Mapping[str, str]) -> None:
    """Check that nothing absent is called verified; raises InvalidParameterException."""
    for contact in CONTACTS:
        flag = f"{contact}_verified"
        if changes.get(flag) == "true" and not attributes.get(contact):
            raise InvalidParameterException(f"You cannot set {flag} without {contact}.")


def without(attributes: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return attributes less some; with an e-mail address or a telephone number goes its verification."""
    gone = set(names)
    gone |= {f"{contact}_verified" for contact in CONTACTS if contact in gone}
    return {name: value for name, value in attributes.items() if name not in gone}


def _stored_name(schema: Schema, name: str) -> str:
    # spec/api/02 §1.2: developers' attributes are stored as dev:custom:<name>, and accepted as dev:<name>.
    if name not in schema and name.startswith("dev:") and f"dev:custom:{name[4:]}" in schema:
        return f"dev:custom:{name[4:]}"
    return name


def _problems(schema: Schema, attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for name, value in attributes.items():
        entry = schema.get(name)
        if entry is None:
            found.append((name, "Attribute does not exist in the schema."))
            continue
        problem = _problem(entry, value) if value else None
        if problem:
            found.append((name, problem))
    return found


def _problem(entry: SchemaAttributeType, value: str) -> str | None:
    return CHECKS[entry.attribute_data_type or AttributeDataType.String](entry, value)


def _string_problem(entry: SchemaAttributeType, value: str) -> str | None:
    limits = entry.string_attribute_constraints
    if limits and limits.max_length and len(value) > int(limits.max_length):
        return f"String must be no longer than {limits.max_length} characters"
    if limits and limits.min_length and len(value) < int(limits.min_length):
        return f"String must be no shorter than {limits.min_length} characters"
    return None


def _number_problem(entry: SchemaAttributeType, value: str) -> str | None:
    digits = value[1:] if value[:1] in {"-", "+"} else value
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 38:
        return "Value must be a number"
    limits = entry.number_attribute_constraints
    if limits and limits.max_value and int(value) > int(limits.max_value):
        return f"Number must be no greater than {limits.max_value}"
    if limits and limits.min_value and int(value) < int(limits.min_value):
        return f"Number must be no less than {limits.min_value}"
    return None


def _boolean_problem(_entry: SchemaAttributeType, value: str) -> str | None:
    return None if value.lower() in {"true", "false"} else "Value must be true or false"


def _date_problem(_entry: SchemaAttributeType, value: str) -> str | None:
    date, _, _ = value.partition("T")
    parts = date.split("-")
    numeric = all(part.isascii() and part.isdigit() for part in parts)
    return None if [len(part) for part in parts] == [4, 2, 2] and numeric else "Value must be a date"


CHECKS: dict[AttributeDataType, Callable[[SchemaAttributeType, str], str | None]] = {
    AttributeDataType.String: _string_problem,
    AttributeDataType.Number: _number_problem,
    AttributeDataType.Boolean: _boolean_problem,
    AttributeDataType.DateTime: _date_problem,
}


def _check_contacts(attributes: Mapping[str, str]) -> None:
    email, phone = attributes.get("email"), attributes.get("phone_number")
    if email and not is_email(email):
        raise InvalidParameterException("Invalid email address format.")
    if phone and not is_phone_number(phone):
        raise InvalidParameterException("Invalid phone number format.")


def _normal(entry: SchemaAttributeType, value: str) -> str:
    return value.lower() if entry.attribute_data_type == AttributeDataType.Boolean else value
