"""CustomMessage: a function puts the pool's messages in its own words (spec/api/06 §9)."""

import pytest

from tests.operations.talk import PASSWORD, confirm, listed, refusal, sign_in
from tests.operations.test_custom_senders import wait

METADATA = {"app": "shop"}
CLIENT = {"ClientMetadata": METADATA}
NOBODY = "CLIENT_ID_NOT_APPLICABLE"


def speak(event, context):
    """A function as in the developer guide: the same words for every source, and the user's name in invitations."""
    request, response = event["request"], event["response"]
    named = f"{request['usernameParameter']} " if request["usernameParameter"] else ""
    response["smsMessage"] = f"sms {named}{request['codeParameter']}"
    response["emailMessage"] = f"<b>{event['triggerSource']}</b> {named}{request['codeParameter']}"
    response["emailSubject"] = f"To {event['userName']}"
    return event


@pytest.fixture
def shop(call, pool, app, functions):
    """A pool whose messages are a function's."""

    class Shop:
        arn = functions.add(speak)
        id = pool(AutoVerifiedAttributes=["email"], LambdaConfig={"CustomMessage": arn})
        client = app(id)
        client_id = client["ClientId"]

        def events(self):
            return functions.events(self.arn)

        def sign_up(self, name, **more):
            new = {"ClientId": self.client_id, "Username": name, "Password": PASSWORD}
            return call("SignUp", **new, UserAttributes=listed(email=f"{name}@words.example"), **more)

    return Shop()


def test_every_source_and_its_metadata(call, shop, inbox):
    """Each operation that sends a message asks under its own source, with its metadata, and sends the words."""
    shop.sign_up("ann", **CLIENT)
    again = {"ClientId": shop.client_id, "Username": "ann"}
    call("ResendConfirmationCode", **again, **CLIENT)
    confirm(call, shop.client, "ann", inbox("ann@words.example")[-1].code)
    call("ForgotPassword", **again, **CLIENT)
    call("AdminResetUserPassword", UserPoolId=shop.id, Username="ann", **CLIENT)
    call("AdminSetUserPassword", UserPoolId=shop.id, Username="ann", Password=PASSWORD, Permanent=True)
    token = {"AccessToken": sign_in(call, shop.client, "ann")["AccessToken"]}
    new = listed(email="ann@words.example", name="Ann")
    call("GetUserAttributeVerificationCode", **token, AttributeName="email", **CLIENT)
    call("UpdateUserAttributes", **token, UserAttributes=[{"Name": "email", "Value": "ann2@words.example"}], **CLIENT)
    call("AdminUpdateUserAttributes", UserPoolId=shop.id, Username="ann", UserAttributes=new, **CLIENT)
    invited = listed(email="bob@words.example")
    call("AdminCreateUser", UserPoolId=shop.id, Username="bob", UserAttributes=invited, **CLIENT)

    asked = [(e["triggerSource"].removeprefix("CustomMessage_"), e["callerContext"]["clientId"]) for e in shop.events()]
    assert asked == [
        ("SignUp", shop.client_id),
        ("ResendCode", shop.client_id),
        ("ForgotPassword", shop.client_id),
        ("ForgotPassword", NOBODY),
        ("VerifyUserAttribute", shop.client_id),
        ("UpdateUserAttribute", shop.client_id),
        ("UpdateUserAttribute", NOBODY),
        ("AdminCreateUser", NOBODY),
    ]
    assert {str(event["request"]["clientMetadata"]) for event in shop.events()} == {str(METADATA)}
    sent = [message for to in ("ann", "ann2", "bob") for message in inbox(f"{to}@words.example")]
    by_source = {message.template: message for message in sent}
    assert len(sent) == 8
    for source, message in by_source.items():
        named = "bob " if source == "AdminCreateUser" else ""
        assert message.subject == ("To bob" if named else "To ann")
        assert message.body.startswith(f"<b>CustomMessage_{source}</b> {named}")
        assert message.code not in str(shop.events())


def test_what_the_function_is_asked(call, shop):
    """The whole request, of a sign-up and of an invitation; without metadata there is no member for it."""
    shop.sign_up("ann")
    call("AdminCreateUser", UserPoolId=shop.id, Username="bob", UserAttributes=listed(email="bob@words.example"))

    ann, bob = shop.events()
    assert ann["request"] == {
        "userAttributes": ann["request"]["userAttributes"],
        "codeParameter": "{####}",
        "linkParameter": "{##Click Here##}",
        "usernameParameter": None,
    }
    assert (
        ann["request"]["userAttributes"].items()
        >= {
            "cognito:user_status": "UNCONFIRMED",
            "email": "ann@words.example",
        }.items()
    )
    assert bob["request"]["usernameParameter"] == "{username}"
    assert ann["response"] == {"smsMessage": None, "emailMessage": None, "emailSubject": None}


def test_a_pending_address_is_shown(call, shop, functions, inbox):
    """A code that verifies an address which is still to become the user's goes there, so the function sees it."""
    required = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    call(
        "UpdateUserPool",
        UserPoolId=shop.id,
        AutoVerifiedAttributes=["email"],
        UserAttributeUpdateSettings=required,
        LambdaConfig={"CustomMessage": shop.arn},
    )
    shop.sign_up("ann")
    confirm(call, shop.client, "ann", inbox("ann@words.example")[-1].code)
    token = {"AccessToken": sign_in(call, shop.client, "ann")["AccessToken"]}
    call("UpdateUserAttributes", **token, UserAttributes=[{"Name": "email", "Value": "new@words.example"}])

    attributes = shop.events()[-1]["request"]["userAttributes"]
    assert (attributes["email"], attributes["email_verified"]) == ("new@words.example", "false")
    assert len(inbox("new@words.example")) == 1


def test_text_messages(call, pool, functions, inbox):
    """A text message is in the words for text messages; words for mail play no part."""
    arn = functions.add(speak)
    pool_id = pool(LambdaConfig={"CustomMessage": arn})
    call("AdminCreateUser", UserPoolId=pool_id, Username="ann", UserAttributes=listed(phone_number="+15551230177"))

    (message,) = inbox("+15551230177")
    assert message.body == f"sms ann {message.code}"


def test_null_keeps_the_pools_words(shop, functions, inbox):
    """A function that answers nothing leaves the message as it is."""
    functions.change(shop.arn, lambda event, context: event)
    shop.sign_up("ann")

    (message,) = inbox("ann@words.example")[-1:]
    assert (message.subject, message.body) == ("Your verification code", f"Your verification code is {message.code}. ")


def test_links(call, shop, functions, inbox):
    """Where a link is due the function may put it where it likes, in words of its own."""
    call("CreateUserPoolDomain", UserPoolId=shop.id, Domain="words-links")
    by_link = {"DefaultEmailOption": "CONFIRM_WITH_LINK"}
    settings = {"AutoVerifiedAttributes": ["email"], "LambdaConfig": {"CustomMessage": shop.arn}}
    call("UpdateUserPool", UserPoolId=shop.id, VerificationMessageTemplate=by_link, **settings)

    def link(event, context):
        event["response"]["emailMessage"] = f"Go {event['request']['linkParameter']} or {{##there##}}"
        return event

    functions.change(shop.arn, link)
    shop.sign_up("ann")
    assert inbox("ann@words.example")[-1].body.count("/auth/words-links/confirmUser?client_id=") == 2
    invited = {"UserPoolId": shop.id, "Username": "bob", "UserAttributes": listed(email="bob@words.example")}
    call("AdminCreateUser", **invited)
    assert inbox("bob@words.example")[-1].body.startswith("Your username is bob and temporary password is ")


def test_refused_words_and_errors_are_told(call, shop, functions):
    """Texts without the code, too long ones and what the function throws are told in Cognito's words."""

    def without_code(event, context):
        event["response"]["emailMessage"] = "Welcome!"
        return event

    functions.change(shop.arn, without_code)
    sign_up = {"ClientId": shop.client_id, "Password": PASSWORD, "UserAttributes": listed(email="a@words.example")}
    assert refusal(call, "SignUp", Username="ann", **sign_up)[0] == "InvalidLambdaResponseException"

    def throw(event, context):
        raise ValueError("no words")

    functions.change(shop.arn, throw)
    told = ("UserLambdaValidationException", "CustomMessage failed with error no words.")
    again = {"ClientId": shop.client_id, "Username": "ann"}
    assert refusal(call, "SignUp", Username="bob", **sign_up) == told
    assert refusal(call, "ResendConfirmationCode", **again) == told
    call("AdminConfirmSignUp", UserPoolId=shop.id, Username="ann")
    verified = listed(email_verified="true")
    call("AdminUpdateUserAttributes", UserPoolId=shop.id, Username="ann", UserAttributes=verified)
    assert refusal(call, "ForgotPassword", **again) == told
    assert refusal(call, "AdminResetUserPassword", UserPoolId=shop.id, Username="ann") == told


def test_strangers_learn_nothing_from_the_function(call, shop, app, functions, inbox):
    """Where users are concealed its errors are not told, and its words arrive behind the answer."""
    hiding = app(shop.id, PreventUserExistenceErrors="ENABLED")["ClientId"]
    shop.sign_up("eve")
    asked = {"ClientId": hiding, "Username": "eve"}
    call("ResendConfirmationCode", **asked)
    (_, message) = wait(lambda: inbox("eve@words.example"), 2)
    assert message.body == f"<b>CustomMessage_ResendCode</b> {message.code}"

    def throw(event, context):
        raise ValueError("no words")

    functions.change(shop.arn, throw)
    details = call("ResendConfirmationCode", **asked)["CodeDeliveryDetails"]
    assert details == call("ResendConfirmationCode", **asked | {"Username": "eve@words.example"})["CodeDeliveryDetails"]
    assert len(wait(shop.events, 3)) == 3
    assert len(inbox("eve@words.example")) == 2
