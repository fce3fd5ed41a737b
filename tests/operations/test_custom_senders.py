"""CustomEmailSender and CustomSMSSender: functions that send a pool's messages in our place (spec/api/06 §10)."""

import base64
import time

import pytest
from aws_encryption_sdk import EncryptionSDKClient

from poolhouse.core.sender_events import Takeover
from poolhouse.flows.calls import Origin, PublicCall
from poolhouse.flows.senders import notify_takeover
from poolhouse.model import AccountTakeoverEventActionType
from tests.conftest import SENDER_KEY, SENDER_KEY_ARN
from tests.crypto.test_sender_keys import raw
from tests.functions import Refusal
from tests.operations.talk import PASSWORD, confirm, listed, sign_in

CLIENT = {"ClientMetadata": {"app": "shop"}}


def wait(found, count=1):
    """What something finds once there is enough of it."""
    deadline = time.monotonic() + 10
    while len(things := found()) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return things


def decrypt(code):
    """What a handler reads, by the stock SDK and the key that its operator gave it."""
    sealed = base64.b64decode(code)
    plain, header = EncryptionSDKClient().decrypt(source=sealed, key_provider=raw(SENDER_KEY, SENDER_KEY_ARN))
    return plain.decode(), header.encryption_context["userpool-id"]


def sender(trigger, arn, key=SENDER_KEY_ARN):
    """The part of LambdaConfig that names a sender."""
    return {trigger: {"LambdaVersion": "V1_0", "LambdaArn": arn}, "KMSKeyID": key}


@pytest.fixture
def shop(call, pool, app, functions):
    """A pool that sends its mail itself; its CustomMessage function would be in the way."""

    class Shop:
        arn, words = functions.add(), functions.add()
        mail = sender("CustomEmailSender", arn)
        id = pool(AutoVerifiedAttributes=["email"], LambdaConfig=mail | {"CustomMessage": words})
        client = app(id, PreventUserExistenceErrors="ENABLED")
        client_id = client["ClientId"]

        def last(self, count):
            event = wait(lambda: functions.events(self.arn), count)[count - 1]
            return event, event["request"]

        def code(self, count):
            code, pool_id = decrypt(self.last(count)[1]["code"])
            assert pool_id == self.id
            return code

    return Shop()


def test_every_source(call, shop, functions, inbox):
    """Each operation hands its code to the function, encrypted, and the code works; nothing else is sent or asked."""
    new = {"ClientId": shop.client_id, "Username": "ann", "Password": PASSWORD}
    sent = call("SignUp", **new, UserAttributes=listed(email="ann@senders.example"), **CLIENT)
    assert sent["CodeDeliveryDetails"]["Destination"] == "a***@s***"
    event, request = shop.last(1)
    assert functions.calls(shop.arn)[0].kind == "Event"
    assert (event["userName"], event["callerContext"]["clientId"]) == ("ann", shop.client_id)
    assert request == {
        "type": "customEmailSenderRequestV1",
        "code": request["code"],
        "clientMetadata": {"app": "shop"},
        "userAttributes": request["userAttributes"],
    }
    assert request["userAttributes"]["email"] == "ann@senders.example"

    again = {"ClientId": shop.client_id, "Username": "ann"}
    call("ResendConfirmationCode", **again)
    assert shop.last(2)[1]["clientMetadata"] is None
    confirm(call, shop.client, "ann", shop.code(2))
    call("ForgotPassword", **again)
    call("ConfirmForgotPassword", **again, ConfirmationCode=shop.code(3), Password="Battery-Staple-2")
    token = {"AccessToken": sign_in(call, shop.client, "ann", "Battery-Staple-2")["AccessToken"]}
    call("GetUserAttributeVerificationCode", **token, AttributeName="email")
    shop.last(4)
    call("UpdateUserAttributes", **token, UserAttributes=[{"Name": "email", "Value": "new@senders.example"}])
    assert shop.last(5)[1]["userAttributes"]["email"] == "new@senders.example"
    call("VerifyUserAttribute", **token, AttributeName="email", Code=shop.code(5))
    invited = {"UserAttributes": listed(email="bob@senders.example"), "TemporaryPassword": "<Temp&Word>1"}
    call("AdminCreateUser", UserPoolId=shop.id, Username="bob", **invited)
    assert shop.code(6) == "&lt;Temp&amp;Word&gt;1"

    sources = [event["triggerSource"].removeprefix("CustomEmailSender_") for event in functions.events(shop.arn)]
    assert sources == [
        "SignUp", "ResendCode", "ForgotPassword", "VerifyUserAttribute", "UpdateUserAttribute", "AdminCreateUser",
    ]  # fmt: skip
    assert functions.events(shop.words) == []
    assert [inbox(f"{name}@senders.example") for name in ("ann", "new", "bob")] == [[], [], []]


def test_text_messages_have_their_own_sender(call, pool, functions, inbox):
    """A sender is asked for its own medium; mail of the same pool leaves our way."""
    arn = functions.add()
    sms = sender("CustomSMSSender", arn)
    contacts = listed(phone_number="+15551230178", email="ann@sms.example")
    both = {"UserAttributes": contacts, "DesiredDeliveryMediums": ["SMS", "EMAIL"]}
    call("AdminCreateUser", UserPoolId=pool(LambdaConfig=sms), Username="ann", **both)

    (event,) = wait(lambda: functions.events(arn))
    (mail,) = inbox("ann@sms.example")
    assert event["triggerSource"] == "CustomSMSSender_AdminCreateUser"
    assert event["request"]["type"] == "customSMSSenderRequestV1"
    assert decrypt(event["request"]["code"])[0] == mail.code
    assert inbox("+15551230178") == []


def test_what_goes_wrong_is_not_told(call, pool, app, functions, caplog):
    """A function that throws, and a key that is not there, are nobody's business; no code leaves unencrypted."""

    def throw(event, context):
        raise ValueError("no mail today")

    arn = functions.add(throw)
    for key in (SENDER_KEY_ARN, SENDER_KEY_ARN + "-of-nobody"):
        client = app(pool(AutoVerifiedAttributes=["email"], LambdaConfig=sender("CustomEmailSender", arn, key)))
        new = {"ClientId": client["ClientId"], "Username": "ann", "Password": PASSWORD}
        assert call("SignUp", **new, UserAttributes=listed(email="ann@x.org"))["CodeDeliveryDetails"]
        if key == SENDER_KEY_ARN:
            wait(lambda: functions.events(arn))

    wanted = f"POOLHOUSE_SENDER_KEYS holds no key for {SENDER_KEY_ARN}-of-nobody"
    assert wait(lambda: [record for record in caplog.records if wanted in record.getMessage()])
    assert len(functions.events(arn)) == 1


def test_a_passing_failure_is_tried_again(server, call, shop, functions):
    """An event that the service does not take is handed over later."""
    answers = iter([Refusal(404, "ResourceNotFoundException")])

    def handler(event, context):
        for refusal in answers:
            raise refusal

    functions.change(shop.arn, handler)
    call("AdminCreateUser", UserPoolId=shop.id, Username="bob", UserAttributes=listed(email="bob@senders.example"))
    assert len(wait(lambda: functions.events(shop.arn), 2)) == 2


def test_a_sign_in_that_may_not_be_the_users(server, call, shop, functions, pool):
    """The sender of mail is told of it without a code; a pool without one learns that the mail is ours to send."""
    takeover = Takeover(
        event_id="e",
        username="ann",
        address="192.0.2.7",
        at=0,
        action=AccountTakeoverEventActionType.NO_ACTION,
        feedback_token="t",
        valid_link="v",
        invalid_link="i",
    )

    async def notify(pool_id):
        request = PublicCall(deps=server.deps, now=server.clock.now(), origin=Origin(request_id="r"))
        found = await server.store.read(lambda tx: tx.catalogue.find_pool(pool_id))
        return await notify_takeover(request, found, None, takeover)

    assert server.run(notify(pool())) is False
    assert server.run(notify(shop.id)) is True
    event, request = shop.last(1)
    assert event["triggerSource"] == "CustomEmailSender_AccountTakeOverNotification"
    assert (request["type"], request["code"], request["clientMetadata"]) == ("customEmailSenderRequestV1", None, None)
    assert request["userAttributes"]["ACCOUNT_TAKE_OVER_ACTION"] == "NO_ACTION"
