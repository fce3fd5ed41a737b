"""The generated model: fresh, whole, and the same as the service description."""

import collections
import pathlib
import re
import unicodedata

import botocore.session
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

import poolhouse.api.operations  # noqa: F401 - fills the registry
from poolhouse import model
from poolhouse.api.registry import HANDLERS, function_name
from poolhouse.model import OPERATIONS, Access, shapes
from tests.wire.values import documents
from tools.generate_model import EXTRA_ENUM_VALUES, TARGET, Model, translate

SERVICE = botocore.session.get_session().get_service_model("cognito-idp")
STRUCTS = {
    name: found
    for name, found in vars(shapes).items()
    if isinstance(found, type) and issubclass(found, Struct) and found is not Struct
}


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return Model().sources()


@pytest.mark.parametrize("name", ["__init__.py", "enums.py", "errors.py", "operations.py", "shapes.py"])
def test_generated_files_are_fresh(sources: dict[str, str], name: str) -> None:
    """`make model` would change nothing."""
    assert pathlib.Path(TARGET / name).read_text() == sources[name]


def test_every_operation_has_a_row() -> None:
    """The table has the 141 operations of the service, each under its name."""
    assert len(OPERATIONS) == 141
    assert set(OPERATIONS) == set(SERVICE.operation_names)
    assert all(name == row.name for name, row in OPERATIONS.items())


def test_access_is_what_the_service_says() -> None:
    """105 operations are signed, 22 take an access token, 14 are for app clients (ARCHITECTURE §6.3)."""
    kinds = collections.Counter(row.access for row in OPERATIONS.values())
    assert kinds == {Access.ADMIN: 105, Access.USER: 22, Access.PUBLIC: 14}
    unsigned = {name for name in OPERATIONS if SERVICE.operation_model(name).auth_type == "none"}
    assert {name for name, row in OPERATIONS.items() if row.access is not Access.ADMIN} - unsigned == {
        "GetClientToken",
        "GetDerivedToken",
    }


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_rows_name_the_shapes_and_errors_of_the_service(name: str) -> None:
    """A row has the input, output and errors that the service declares."""
    row, described = OPERATIONS[name], SERVICE.operation_model(name)
    assert row.request.__name__ == described.input_shape.name
    assert (row.response and row.response.__name__) == (described.output_shape and described.output_shape.name)
    assert {error.__name__ for error in row.errors} == {shape.name for shape in described.error_shapes}


def test_errors_have_the_status_of_the_service() -> None:
    """Faults of the service are 500, all other errors 400 (spec/api/01 §3.1)."""
    for name, shape in Model().shapes.items():
        if shape.get("exception"):
            assert getattr(model, name).status == (500 if shape.get("fault") else 400)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_members_have_their_wire_names(name: str) -> None:
    """A structure has exactly the members of its shape, in alphabetical order, the same ones required."""
    shape = SERVICE.shape_for(name)
    fields = msgspec.structs.fields(STRUCTS[name])
    assert [field.encode_name for field in fields] == sorted(shape.members)
    assert {field.encode_name for field in fields if field.required} == set(shape.required_members)


def test_every_structure_is_generated() -> None:
    """All structures of the service but its errors are there."""
    wanted = {
        name
        for name in SERVICE.shape_names
        if SERVICE.shape_for(name).type_name == "structure"
        and not SERVICE.shape_for(name).metadata.get("exception")
        and not SERVICE.shape_for(name).is_document_type
    }
    assert set(STRUCTS) == wanted


def test_enumerations_have_the_values_of_the_service() -> None:
    """The values are those of the service, in its order, and the documented ones that it forgot."""
    for name in SERVICE.shape_names:
        values = SERVICE.shape_for(name).metadata.get("enum")
        if values:
            assert [member.value for member in getattr(model, name)] == values + EXTRA_ENUM_VALUES.get(name, [])


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_structures_round_trip(name: str) -> None:
    """What satisfies the constraints decodes, and comes back from encoding as the same value."""
    decoder = msgspec.json.Decoder(STRUCTS[name])

    @settings(max_examples=4, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(STRUCTS[name]) | documents(STRUCTS[name], full=True))
    def check(document: object) -> None:
        decoded = decoder.decode(msgspec.json.encode(document))
        assert decoder.decode(msgspec.json.encode(decoded)) == decoded

    check()


@given(st.characters(codec="utf-8"))
@example("a")
@example(" ")
@example("\u200b")
@example("\n")
@example("é")
@example("😀")
def test_unions_of_categories_match_by_category(character: str) -> None:
    r"""`[\p{L}\p{M}\p{S}\p{N}\p{P}]` matches letters, marks, symbols, numbers and punctuation, nothing else."""
    category = unicodedata.category(character)
    if category == "Cn":
        return  # whether it is assigned depends on the version of the tables
    visible = re.search(translate(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+"), character)
    assert bool(visible) == (category[0] in "LMSNP")
    spaced = re.search(translate(r"[\p{L}\p{M}\p{S}\p{N}\p{P}\p{Z}]+"), character)
    assert bool(spaced) == (category[0] in "LMSNPZ")


@given(st.text(max_size=12))
@example("ab")
@example("a")
@example(" a")
@example("a b")
@example("a\nb")
def test_passwords_are_matched_as_the_printed_pattern_says(text: str) -> None:
    """The pattern that is enforced on passwords accepts what the one in the error text accepts."""
    try:
        msgspec.convert(text, shapes.PasswordType)
        accepted = True
    except msgspec.ValidationError:
        accepted = False
    assert accepted == bool(re.search(translate(r"^[\S]+.*[\S]+$"), text))


def test_every_operation_is_served() -> None:
    """Each of the 141 operations has a handler, and there is no handler besides."""
    assert set(HANDLERS) == set(OPERATIONS)
    assert len(HANDLERS) == 141


def test_functions_are_named_after_operations() -> None:
    """No two operations share the name of a function, and abbreviations stay together."""
    assert len({function_name(name) for name in OPERATIONS}) == len(OPERATIONS)
    assert function_name("AdminSetUserMFAPreference") == "admin_set_user_mfa_preference"
    assert function_name("GetUICustomization") == "get_ui_customization"
