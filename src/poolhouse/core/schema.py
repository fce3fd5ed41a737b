"""The schema of a pool: its standard attributes, and what Schema and AddCustomAttributes make of them.

Spec: api/02 §1.2–1.3.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from poolhouse.core.validation import invalid_member
from poolhouse.model import (
    AttributeDataType,
    InvalidParameterException,
    NumberAttributeConstraintsType,
    SchemaAttributeType,
    StringAttributeConstraintsType,
)

MAX_STRING = 2048
MAX_CUSTOM_NAME = 20
MAX_CUSTOM_ATTRIBUTES = 50
MAX_REQUESTED = 50
DEVELOPER_PREFIX = "dev:custom:"
CUSTOM_PREFIX = "custom:"

_TYPES = AttributeDataType
_LENGTHS = StringAttributeConstraintsType(min_length="0", max_length="2048")


def _standard(
    name: str,
    *,
    data_type: AttributeDataType = _TYPES.String,
    fixed: bool = False,
    lengths: StringAttributeConstraintsType | None = _LENGTHS,
    values: NumberAttributeConstraintsType | None = None,
) -> SchemaAttributeType:
    return SchemaAttributeType(
        name=name,
        attribute_data_type=data_type,
        developer_only_attribute=False,
        mutable=not fixed,
        required=fixed,
        string_attribute_constraints=lengths if data_type is _TYPES.String else None,
        number_attribute_constraints=values,
    )


STANDARD_ATTRIBUTES = (
    _standard("sub", fixed=True, lengths=StringAttributeConstraintsType(min_length="1", max_length="2048")),
    _standard("name"),
    _standard("given_name"),
    _standard("family_name"),
    _standard("middle_name"),
    _standard("nickname"),
    _standard("preferred_username"),
    _standard("profile"),
    _standard("picture"),
    _standard("website"),
    _standard("email"),
    _standard("email_verified", data_type=_TYPES.Boolean),
    _standard("gender"),
    _standard("birthdate", lengths=StringAttributeConstraintsType(min_length="10", max_length="10")),
    _standard("zoneinfo"),
    _standard("locale"),
    _standard("phone_number"),
    _standard("phone_number_verified", data_type=_TYPES.Boolean),
    _standard("address"),
    _standard("updated_at", data_type=_TYPES.Number, values=NumberAttributeConstraintsType(min_value="0")),
)
STANDARD_NAMES = frozenset(attribute.name for attribute in STANDARD_ATTRIBUTES)


def is_custom(attribute: SchemaAttributeType) -> bool:
    """Tell whether an attribute of a pool's schema is a custom one, developer-only ones included."""
    return (attribute.name or "").startswith((CUSTOM_PREFIX, DEVELOPER_PREFIX))


def new_schema(requested: Sequence[SchemaAttributeType]) -> list[SchemaAttributeType]:
    """Return the schema of a new pool: the standard attributes as redefined, then the custom ones.

    Raises InvalidParameterException.
    """
    if len(requested) > MAX_REQUESTED:
        raise invalid_member("schema", f"Member must have length less than or equal to {MAX_REQUESTED}")
    redefined: dict[str, SchemaAttributeType] = {}
    custom: list[SchemaAttributeType] = []
    for position, entry in enumerate(requested, 1):
        name = _name_of(entry, f"schema.{position}.member.name")
        if name not in STANDARD_NAMES:
            custom.append(entry)
        elif name in redefined:
            raise _already_named(name)
        else:
            redefined[name] = entry
    standard = [_redefined(attribute, redefined.get(attribute.name or "")) for attribute in STANDARD_ATTRIBUTES]
    return _with_custom(standard, custom, "schema")


def extended_schema(
    schema: Sequence[SchemaAttributeType], added: Sequence[SchemaAttributeType]
) -> list[SchemaAttributeType]:
    """Return a pool's schema with more custom attributes; raises InvalidParameterException."""
    for position, entry in enumerate(added, 1):
        _name_of(entry, f"customAttributes.{position}.member.name")
    return _with_custom(schema, added, "customAttributes")


def _name_of(entry: SchemaAttributeType, path: str) -> str:
    if entry.name is None:
        raise invalid_member(path, "Member must not be null")
    return entry.name


def _with_custom(
    schema: Iterable[SchemaAttributeType], added: Sequence[SchemaAttributeType], member: str
) -> list[SchemaAttributeType]:
    result = list(schema)
    taken = {(attribute.name or "").removeprefix("dev:") for attribute in result}
    for position, entry in enumerate(added, 1):
        if len(entry.name or "") > MAX_CUSTOM_NAME:
            limit = f"Member must have length less than or equal to {MAX_CUSTOM_NAME}"
            raise invalid_member(f"{member}.{position}.member.name", limit, entry.name)
        attribute = _custom(entry)
        name = (attribute.name or "").removeprefix("dev:")
        if name in taken:
            raise _already_named(name)
        taken.add(name)
        result.append(attribute)
    if sum(map(is_custom, result)) > MAX_CUSTOM_ATTRIBUTES:
        raise InvalidParameterException(f"A user pool can have at most {MAX_CUSTOM_ATTRIBUTES} custom attributes.")
    return result


def _already_named(name: str) -> InvalidParameterException:
    return InvalidParameterException(f"{name}: Existing attribute already has name {name}.")


def _redefined(standard: SchemaAttributeType, entry: SchemaAttributeType | None) -> SchemaAttributeType:
    """Return a standard attribute as a Schema entry redefines it."""
    if entry is None:
        return standard
    other_type = entry.attribute_data_type not in {None, standard.attribute_data_type}
    if other_type or entry.developer_only_attribute:
        raise InvalidParameterException(
            "You can not change AttributeDataType or set developerOnlyAttribute"
            f" for standard schema attribute {standard.name}"
        )
    if standard.name != "sub":
        standard = replace(
            standard,
            mutable=standard.mutable if entry.mutable is None else entry.mutable,
            required=standard.required if entry.required is None else entry.required,
        )
    # Cognito: constraints of a standard attribute count only where the entry names its type (spec/api/02 §1.3).
    if entry.attribute_data_type is None:
        return standard
    _check_constraints(standard.name or "", entry)
    if standard.attribute_data_type is _TYPES.String and entry.string_attribute_constraints:
        return replace(standard, string_attribute_constraints=entry.string_attribute_constraints)
    if standard.attribute_data_type is _TYPES.Number and entry.number_attribute_constraints:
        return replace(standard, number_attribute_constraints=entry.number_attribute_constraints)
    return standard


def _custom(entry: SchemaAttributeType) -> SchemaAttributeType:
    """Return a custom attribute as it stands in the schema."""
    data_type = entry.attribute_data_type
    if data_type is None:
        raise InvalidParameterException(
            "Invalid AttributeDataType input, consider using the provided AttributeDataType enum."
        )
    if entry.required:
        raise InvalidParameterException("Required custom attributes are not supported currently.")
    developer_only = bool(entry.developer_only_attribute)
    name = (DEVELOPER_PREFIX if developer_only else CUSTOM_PREFIX) + (entry.name or "")
    _check_constraints(name, entry)
    lengths = entry.string_attribute_constraints or StringAttributeConstraintsType()
    values = entry.number_attribute_constraints or NumberAttributeConstraintsType()
    return SchemaAttributeType(
        name=name,
        attribute_data_type=data_type,
        developer_only_attribute=developer_only,
        mutable=entry.mutable is not False,
        required=False,
        string_attribute_constraints=lengths if data_type is _TYPES.String else None,
        number_attribute_constraints=values if data_type is _TYPES.Number else None,
    )


def _check_constraints(name: str, entry: SchemaAttributeType) -> None:
    if entry.attribute_data_type is _TYPES.String and entry.string_attribute_constraints:
        _check_lengths(name, entry.string_attribute_constraints)
    if entry.attribute_data_type is _TYPES.Number and entry.number_attribute_constraints:
        _check_values(name, entry.number_attribute_constraints)


def _check_lengths(name: str, constraints: StringAttributeConstraintsType) -> None:
    texts = (constraints.min_length, constraints.max_length)
    low, high = (_number(text, f"Invalid StringAttributeConstraints for schema attribute {name}") for text in texts)
    if min(low or 0, high or 0) < 0:
        raise InvalidParameterException(f"Invalid StringAttributeConstraints for schema attribute {name}")
    if max(low or 0, high or 0) > MAX_STRING:
        raise InvalidParameterException(
            f"user.{name}: String attributes cannot have a length of more than {MAX_STRING}"
        )
    if low is not None and high is not None and low > high:
        raise InvalidParameterException(f"user.{name}: Max length cannot be less than min length.")


def _check_values(name: str, constraints: NumberAttributeConstraintsType) -> None:
    texts = (constraints.min_value, constraints.max_value)
    low, high = (_number(text, f"Invalid NumberAttributeConstraints for schema attribute {name}") for text in texts)
    if low is not None and high is not None and low > high:
        raise InvalidParameterException(f"user.{name}: Max value cannot be less than min value.")


def _number(text: str | None, refusal: str) -> int | None:
    """Return a constraint's number. Its length is bounded, because Python's conversion takes quadratic time."""
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 1000):
        raise InvalidParameterException(refusal)
    return int(text)
