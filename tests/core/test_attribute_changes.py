"""What a change of an e-mail address or a telephone number leads to."""

import pytest

from poolhouse.core.attribute_changes import decide_changes, decide_deletion, find_value_to_verify, find_verified
from poolhouse.core.session import ConfirmationCode
from poolhouse.model import InvalidParameterException, UserAttributeUpdateSettingsType
from tests.core.examples import make_pool, make_user

PLAIN = make_pool()
VERIFYING = make_pool(auto_verified_attributes=["email", "phone_number"])
WAITING = make_pool(
    auto_verified_attributes=["email"],
    user_attribute_update_settings=UserAttributeUpdateSettingsType(
        attributes_require_verification_before_update=["email"]
    ),
)
ANN = make_user(attributes={"email": "ann@x.org", "email_verified": "true", "name": "Ann"})
NOW = 5000


def test_a_new_address_is_unverified():
    """A changed address is stored at once and has to be verified again."""
    change = decide_changes(PLAIN, ANN, {"email": "new@x.org"}, NOW)

    assert change.user.attributes == {"email": "new@x.org", "email_verified": "false", "name": "Ann"}
    assert change.user.modified_at == NOW
    assert change.to_verify == ()


def test_auto_verified_contacts_get_a_code():
    """Both contacts changed at once get a code each."""
    change = decide_changes(VERIFYING, ANN, {"email": "new@x.org", "phone_number": "+491234"}, NOW)

    assert set(change.to_verify) == {"email", "phone_number"}
    assert change.user.attributes["phone_number_verified"] == "false"


def test_the_same_verified_address_stays_verified():
    """Writing what is there already changes nothing."""
    change = decide_changes(VERIFYING, ANN, {"email": "ann@x.org"}, NOW)

    assert change.user.attributes == ANN.attributes
    assert change.to_verify == ()


def test_an_address_can_wait_for_its_verification():
    """Where the pool asks for it the old address stays, and a second change replaces the waiting one."""
    first = decide_changes(WAITING, ANN, {"email": "new@x.org"}, NOW)
    second = decide_changes(WAITING, first.user, {"email": "newer@x.org"}, NOW)

    assert first.user.attributes == ANN.attributes
    assert first.to_verify == ("email",)
    assert find_value_to_verify(first.user, "email") == "new@x.org"
    assert second.user.pending == {"email": "newer@x.org"}


def test_going_back_to_the_old_address_ends_the_wait():
    """Who writes the present address again has changed their mind."""
    waiting = decide_changes(WAITING, ANN, {"email": "new@x.org"}, NOW).user

    change = decide_changes(WAITING, waiting, {"email": "ann@x.org"}, NOW)

    assert change.user.pending == {}
    assert change.to_verify == ()


def test_an_administrator_can_call_it_verified():
    """With the flag in the same call nothing waits and no code is sent."""
    change = decide_changes(WAITING, ANN, {"email": "new@x.org", "email_verified": "true"}, NOW)

    assert change.user.attributes["email"] == "new@x.org"
    assert change.user.attributes["email_verified"] == "true"
    assert change.to_verify == ()


def test_a_flag_alone_can_change():
    """Administrators may verify, or take that back, without a new value."""
    assert decide_changes(PLAIN, ANN, {"email_verified": "false"}, NOW).user.attributes["email_verified"] == "false"
    with pytest.raises(InvalidParameterException):
        decide_changes(PLAIN, ANN, {"phone_number_verified": "true"}, NOW)


def test_a_waiting_address_keeps_the_flag_of_the_old_one():
    """A flag meant for the waiting value does not touch the present one."""
    change = decide_changes(WAITING, ANN, {"email": "new@x.org", "email_verified": "false"}, NOW)

    assert change.user.attributes == ANN.attributes


def test_deleting_an_address_deletes_its_verification():
    """Neither blank values nor deletions leave a flag behind."""
    blanked = decide_changes(PLAIN, ANN, {"email": ""}, NOW).user
    deleted = decide_deletion(ANN, ["email"], NOW)

    assert blanked.attributes == deleted.attributes == {"name": "Ann"}


def code_for(value):
    return ConfirmationCode(purpose="verify-email", digest=b"", attribute="email", destination=value, expires_at=9999)


def test_a_right_code_moves_the_waiting_address_in():
    """Once verified the waiting address is the address."""
    waiting = decide_changes(WAITING, ANN, {"email": "new@x.org"}, NOW).user

    verified = find_verified(waiting, code_for("new@x.org"), NOW)

    assert verified.attributes["email"] == "new@x.org"
    assert verified.attributes["email_verified"] == "true"
    assert verified.pending == {}


def test_a_code_verifies_only_what_it_was_sent_to():
    """A code sent to an address of before verifies nothing."""
    changed = decide_changes(PLAIN, ANN, {"email": "new@x.org"}, NOW).user

    assert find_verified(changed, code_for("ann@x.org"), NOW) is None
    assert find_verified(changed, code_for("new@x.org"), NOW).attributes["email_verified"] == "true"
