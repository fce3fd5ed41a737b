"""What custom senders are told: the shapes of their requests (spec/api/06 §10)."""

from poolhouse.core.messages import MessageKind
from poolhouse.core.sender_events import Takeover, code_text, sender_request, takeover_attributes
from poolhouse.model import AccountTakeoverEventActionType, DeliveryMediumType


def test_the_request_of_each_medium():
    """Every member is there, null where there is nothing; the code is put in when it is encrypted."""
    assert sender_request(DeliveryMediumType.EMAIL, {"sub": "1"}, {"a": "b"}) == {
        "type": "customEmailSenderRequestV1",
        "code": None,
        "clientMetadata": {"a": "b"},
        "userAttributes": {"sub": "1"},
    }
    assert sender_request(DeliveryMediumType.SMS, {}) == {
        "type": "customSMSSenderRequestV1",
        "code": None,
        "clientMetadata": None,
        "userAttributes": {},
    }


def test_temporary_passwords_are_escaped():
    """The characters of HTML in a temporary password are escaped, as handlers for Cognito expect."""
    assert code_text("""<Ab&1>"'""", MessageKind.ADMIN_CREATE_USER) == """&lt;Ab&amp;1&gt;"'"""
    assert code_text("123456", MessageKind.SIGN_UP) == "123456"


def test_a_sign_in_that_may_not_be_the_users():
    """The attributes tell of the sign-in; the time is written out as Cognito does."""
    takeover = Takeover(
        event_id="e",
        username="ann",
        address="192.0.2.7",
        at=1_616_163_900_000,
        action=AccountTakeoverEventActionType.BLOCK,
        feedback_token="t",
        valid_link="https://x/valid",
        invalid_link="https://x/invalid",
        device="Opera 74, Linux",
    )
    assert takeover_attributes(takeover) == {
        "EVENT_ID": "e",
        "USER_NAME": "ann",
        "IP_ADDRESS": "192.0.2.7",
        "ACCOUNT_TAKE_OVER_ACTION": "BLOCK",
        "ONE_CLICK_LINK_VALID": "https://x/valid",
        "ONE_CLICK_LINK_INVALID": "https://x/invalid",
        "LOGIN_TIME": "Friday, March 19, 2021 02:25 PM UTC",
        "FEEDBACK_TOKEN": "t",
        "CITY": None,
        "COUNTRY": None,
        "DEVICE_NAME": "Opera 74, Linux",
    }
