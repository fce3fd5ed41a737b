"""SignUp, ConfirmSignUp, ResendConfirmationCode and AdminConfirmSignUp."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.operations.talk import (
    EXPIRED,
    LIMIT,
    MISMATCH,
    NO_COMBINATION,
    NO_USER,
    PASSWORD,
    listed,
    named,
    other,
    refusal,
    secret_hash,
    sign_in,
    sign_in_refusal,
    sign_up,
)

BOTH = ["email", "phone_number"]


def confirm(call, client, username, code, **members):
    return call("ConfirmSignUp", ClientId=client["ClientId"], Username=username, ConfirmationCode=code, **members)


def confirm_refusal(call, client, username, code):
    return refusal(call, "ConfirmSignUp", ClientId=client["ClientId"], Username=username, ConfirmationCode=code)


def sign_up_refusal(call, client, username="ann", password=PASSWORD, **attributes):
    return refusal(
        call,
        "SignUp",
        ClientId=client["ClientId"],
        Username=username,
        Password=password,
        UserAttributes=listed(**attributes),
    )


def attributes_of(call, pool_id, username):
    return named(call("AdminGetUser", UserPoolId=pool_id, Username=username)["UserAttributes"])


def status_of(call, pool_id, username):
    return call("AdminGetUser", UserPoolId=pool_id, Username=username)["UserStatus"]


@pytest.fixture
def verifying(pool, app):
    """A pool that verifies both contacts, and a client of it."""

    def make(**settings):
        client_settings = settings.pop("client", {})
        pool_id = pool(**{"AutoVerifiedAttributes": BOTH} | settings)
        return pool_id, app(pool_id, **client_settings)

    return make


def test_a_user_signs_up_and_confirms(call, verifying, inbox):
    """The code that was sent confirms the user and verifies the address."""
    pool_id, client = verifying()
    made = sign_up(call, client, "ann", email="ann-1@x.org")

    assert made["UserConfirmed"] is False
    assert made["CodeDeliveryDetails"] == {
        "AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "a***@x***",
    }  # fmt: skip
    assert attributes_of(call, pool_id, "ann") == {
        "sub": made["UserSub"], "email": "ann-1@x.org", "email_verified": "false",
    }  # fmt: skip
    assert sign_in_refusal(call, client, "ann") == ("UserNotConfirmedException", "User is not confirmed.")

    [message] = inbox("ann-1@x.org")
    assert message.body == f"Your verification code is {message.code}. "
    assert confirm(call, client, "ann", message.code) == {}

    assert status_of(call, pool_id, "ann") == "CONFIRMED"
    assert attributes_of(call, pool_id, "ann")["email_verified"] == "true"
    assert sign_in(call, client, "ann")["TokenType"] == "Bearer"


def test_the_telephone_comes_first(call, verifying, inbox):
    """With both contacts the code goes to the telephone only."""
    pool_id, client = verifying()
    made = sign_up(call, client, "ann", email="both@x.org", phone_number="+12065550101")

    assert made["CodeDeliveryDetails"] == {
        "AttributeName": "phone_number", "DeliveryMedium": "SMS", "Destination": "+*******0101",
    }  # fmt: skip
    assert inbox("both@x.org") == []
    confirm(call, client, "ann", inbox("+12065550101")[-1].code)
    attributes = attributes_of(call, pool_id, "ann")
    assert attributes["phone_number_verified"] == "true"
    assert attributes["email_verified"] == "false"


def test_nothing_to_verify_means_no_code(call, verifying, pool, app):
    """Without auto-verification, or without the contact, there are no delivery details."""
    plain = app(pool())
    _, client = verifying(AutoVerifiedAttributes=["phone_number"])

    assert "CodeDeliveryDetails" not in sign_up(call, plain, "ann", email="ann@x.org")
    assert "CodeDeliveryDetails" not in sign_up(call, client, "ann", email="ann@x.org")


def test_sign_up_can_be_left_to_administrators(call, pool, app):
    """AllowAdminCreateUserOnly closes SignUp."""
    client = app(pool(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True}))

    assert sign_up_refusal(call, client) == (
        "NotAuthorizedException", "SignUp is not permitted for this user pool",
    )  # fmt: skip


def test_unknown_clients_are_refused(call):
    """A client id that does not exist is named in the error."""
    assert sign_up_refusal(call, {"ClientId": "1nobody"}) == (
        "ResourceNotFoundException", "User pool client 1nobody does not exist.",
    )  # fmt: skip


def test_the_secret_hash_is_checked(call, pool, app):
    """A confidential client must prove its secret in every call of the family."""
    client = app(pool(AutoVerifiedAttributes=["email"]), GenerateSecret=True)
    id, hashed = client["ClientId"], secret_hash(client, "ann")
    calls = {
        "SignUp": {"Password": PASSWORD},
        "ConfirmSignUp": {"ConfirmationCode": "123456"},
        "ResendConfirmationCode": {},
        "ForgotPassword": {},
        "ConfirmForgotPassword": {"ConfirmationCode": "123456", "Password": PASSWORD},
    }
    for operation, members in calls.items():
        members = {"ClientId": id, "Username": "ann", **members}
        assert refusal(call, operation, **members) == (
            "NotAuthorizedException",
            f"Client {id} is configured with secret but SECRET_HASH was not received",
        )
        assert refusal(call, operation, **members, SecretHash="x" * 8) == (
            "NotAuthorizedException", f"Unable to verify secret hash for client {id}",
        )  # fmt: skip

    made = call("SignUp", ClientId=id, Username="ann", SecretHash=hashed, Password=PASSWORD)
    assert made["UserConfirmed"] is False
    without = app(pool())
    assert refusal(call, "SignUp", ClientId=without["ClientId"], Username="a", Password=PASSWORD, SecretHash="xx") == (
        "NotAuthorizedException", f"Unable to verify secret hash for client {without['ClientId']}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("password", "reason"),
    [("Ab1!", "Password not long enough"), ("abcdefg1!", "Password must have uppercase characters")],
)
def test_the_password_policy(call, pool, app, password, reason):
    """SignUp words the policy's refusal with "did not conform with"."""
    assert sign_up_refusal(call, app(pool()), password=password) == (
        "InvalidPasswordException", f"Password did not conform with policy: {reason}",
    )  # fmt: skip


def test_a_missing_password(call, pool, app):
    """Without one-time codes as a first factor a password is needed."""
    assert refusal(call, "SignUp", ClientId=app(pool())["ClientId"], Username="ann") == (
        "InvalidParameterException",
        "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null",
    )


def test_a_password_can_be_left_out(call, pool, app):
    """With EMAIL_OTP as a first factor an e-mail address will do."""
    policy = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    client = app(pool(Policies=policy))

    assert refusal(call, "SignUp", ClientId=client["ClientId"], Username="bob")[0] == "InvalidParameterException"
    made = call("SignUp", ClientId=client["ClientId"], Username="ann", UserAttributes=listed(email="a@x.org"))
    assert made["UserSub"]


def test_a_taken_name_is_told(call, pool, app):
    """A name belongs to one user; a bad password is told first."""
    client = app(pool())
    sub = sign_up(call, client, "ann")["UserSub"]

    assert sign_up_refusal(call, client) == ("UsernameExistsException", "User already exists")
    assert sign_up_refusal(call, client, sub) == ("UsernameExistsException", "User already exists")
    assert sign_up_refusal(call, client, password="short")[0] == "InvalidPasswordException"


def test_names_and_case(call, pool, app):
    """Case-sensitive pools tell Ann from ann; others store ann."""
    exact, folding = app(pool()), app(pool(UsernameConfiguration={"CaseSensitive": False}))

    sign_up(call, exact, "ann")
    sign_up(call, exact, "Ann")
    sign_up(call, folding, "ANN")
    assert sign_up_refusal(call, folding, "ann") == ("UsernameExistsException", "User already exists")
    shown = call("AdminGetUser", UserPoolId=folding["UserPoolId"], Username="aNN")
    assert shown["Username"] == "ann"


def test_names_of_alias_pools(call, pool, app):
    """A user name may not look like an alias."""
    client = app(pool(AliasAttributes=["email", "phone_number", "preferred_username"]))

    assert sign_up_refusal(call, client, "ann@x.org")[1] == (
        "Username cannot be of email format, since user pool is configured for email alias."
    )
    assert sign_up_refusal(call, client, "+12065550100")[1] == (
        "Username cannot be of phone number format, since user pool is configured for phone number alias."
    )
    assert sign_up_refusal(call, client, preferred_username="annie") == (
        "InvalidParameterException", "Preferred username can't be provided while the account is not confirmed",
    )  # fmt: skip


def test_username_attributes(call, pool, app):
    """The address is the name: the user name is the sub, the address belongs to one user."""
    pool_id = pool(UsernameAttributes=["email"], UsernameConfiguration={"CaseSensitive": False})
    client = app(pool_id)
    sub = sign_up(call, client, "Ann@x.org", name="Ann")["UserSub"]

    shown = call("AdminGetUser", UserPoolId=pool_id, Username="ann@X.ORG")
    assert shown["Username"] == sub
    assert named(shown["UserAttributes"])["email"] == "Ann@x.org"
    taken = ("UsernameExistsException", "An account with the given email already exists.")
    assert sign_up_refusal(call, client, "ann@x.org") == taken
    assert sign_up_refusal(call, client, "ann") == ("InvalidParameterException", "Username should be an email.")
    both = app(pool(UsernameAttributes=["email", "phone_number"]))
    assert sign_up_refusal(call, both, "ann")[1] == "Username should be either an email or a phone number."
    sign_up(call, both, "+12065550100")
    assert sign_up_refusal(call, both, "+12065550100")[1] == ("An account with the given phone_number already exists.")
    assert sign_up_refusal(call, both, "bob@x.org", phone_number="+12065550100")[1] == (
        "An account with the given phone_number already exists."
    )
    phones = app(pool(UsernameAttributes=["phone_number"]))
    assert sign_up_refusal(call, phones, "ann@x.org")[1] == "Username should be a phone number."


def test_the_schema_is_checked(call, pool, app):
    """Unknown, missing and malformed attributes have their texts."""
    client = app(pool(Schema=[{"Name": "given_name", "Required": True}]))

    assert sign_up_refusal(call, client) == (
        "InvalidParameterException",
        "Attributes did not conform to the schema: given_name: The attribute is required\n",
    )
    assert sign_up_refusal(call, client, given_name="A", custom_x="1")[1] == (
        "Attributes did not conform to the schema: custom:x: Attribute does not exist in the schema.\n"
    )
    assert sign_up_refusal(call, client, given_name="A", email="x")[1] == "Invalid email address format."
    assert sign_up_refusal(call, client, given_name="A", phone_number="1")[1] == "Invalid phone number format."


def test_clients_limit_what_users_write(call, pool, app):
    """Attributes outside the client's list, and verifications, are not for users."""
    client = app(pool(), WriteAttributes=["name"])
    refused = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")

    assert sign_up_refusal(call, client, nickname="A") == refused
    assert sign_up_refusal(call, app(pool()), email="a@x.org", email_verified="true") == refused
    assert sign_up(call, client, "ann", name="Ann")["UserSub"]


def test_immutable_attributes_can_be_given_once(call, pool, app):
    """What cannot change can be set when signing up."""
    schema = [{"Name": "role", "AttributeDataType": "String", "Mutable": False}]
    pool_id = pool(Schema=schema)

    sign_up(call, app(pool_id), "ann", custom_role="chief")

    assert attributes_of(call, pool_id, "ann")["custom:role"] == "chief"


def test_a_trigger_that_cannot_run_refuses_the_sign_up(call, pool, app):
    """A configured function is consulted, and nobody is stored without its consent."""
    pool_id = pool(LambdaConfig={"PreSignUp": "arn:aws:lambda:us-east-1:123456789012:function:f"})
    client = app(pool_id)

    code, text = sign_up_refusal(call, client)

    assert code == "UnexpectedLambdaException"
    assert text.startswith("PreSignUp invocation failed due to error")
    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username="ann") == NO_USER


def test_links_need_a_domain(call, pool, app):
    """Without a domain there is nothing that a link could lead to, and no user is made."""
    template = {"DefaultEmailOption": "CONFIRM_WITH_LINK"}
    pool_id = pool(AutoVerifiedAttributes=["email"], VerificationMessageTemplate=template)

    assert sign_up_refusal(call, app(pool_id), email="a@x.org")[0] == "InvalidParameterException"
    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username="ann") == NO_USER


def test_links_confirm(call, pool, app, inbox):
    """With a domain the mail holds a link with the code, which confirms like a code that was typed."""
    template = {"DefaultEmailOption": "CONFIRM_WITH_LINK"}
    pool_id = pool(AutoVerifiedAttributes=["email"], VerificationMessageTemplate=template)
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain="link-that-confirms")
    client = app(pool_id)
    sign_up(call, client, "ann", email="link@x.org")
    [message] = inbox("link@x.org")

    assert f"confirmation_code={message.code}" in message.body
    assert f"client_id={client['ClientId']}" in message.body
    confirm(call, client, "ann", message.code)
    assert status_of(call, pool_id, "ann") == "CONFIRMED"


def test_wrong_late_and_used_codes(call, verifying, inbox, server):
    """A wrong code mismatches; a late or used one has expired."""
    _, client = verifying()
    sign_up(call, client, "ann", email="wrong@x.org")
    code = inbox("wrong@x.org")[-1].code

    assert confirm_refusal(call, client, "ann", other(code)) == MISMATCH
    server.clock.advance(24 * 3600)
    assert confirm_refusal(call, client, "ann", code) == EXPIRED
    server.clock.back_to_now()
    confirm(call, client, "ann", code)
    assert confirm_refusal(call, client, "ann", code) == (
        "NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED",
    )  # fmt: skip


def test_a_code_confirms_only_its_user(call, verifying, inbox):
    """The code of one user is wrong for another, and for one who never got any."""
    _, client = verifying()
    sign_up(call, client, "ann", email="own-ann@x.org")
    sign_up(call, client, "bob", email="own-bob@x.org")
    sign_up(call, client, "eve")
    code = inbox("own-ann@x.org")[-1].code
    if code != inbox("own-bob@x.org")[-1].code:
        assert confirm_refusal(call, client, "bob", code) == MISMATCH
    assert confirm_refusal(call, client, "eve", code) == EXPIRED


def test_guesses_are_limited(call, verifying, inbox, server):
    """Fifteen calls in an hour, the right code included; after an hour it goes on."""
    _, client = verifying()
    sign_up(call, client, "ann", email="guess@x.org")
    code = inbox("guess@x.org")[-1].code

    for _ in range(15):
        assert confirm_refusal(call, client, "ann", other(code)) == MISMATCH
    assert confirm_refusal(call, client, "ann", code) == LIMIT
    server.clock.advance(3600)
    confirm(call, client, "ann", code)


def test_a_new_code_voids_the_old(call, verifying, inbox):
    """After a resend only the newest code counts."""
    _, client = verifying()
    sign_up(call, client, "ann", email="again@x.org")
    details = call("ResendConfirmationCode", ClientId=client["ClientId"], Username="ann")

    assert details["CodeDeliveryDetails"]["Destination"] == "a***@x***"
    first, second = (message.code for message in inbox("again@x.org"))
    if first != second:
        assert confirm_refusal(call, client, "ann", first) == MISMATCH
    confirm(call, client, "ann", second)


def test_resending_is_limited(call, verifying, server):
    """Five codes in an hour."""
    _, client = verifying()
    sign_up(call, client, "ann", email="five@x.org")
    members = {"ClientId": client["ClientId"], "Username": "ann"}

    for _ in range(5):
        call("ResendConfirmationCode", **members)
    assert refusal(call, "ResendConfirmationCode", **members) == LIMIT
    server.clock.advance(3600)
    call("ResendConfirmationCode", **members)


def test_resends_that_make_no_sense(call, verifying, pool, app):
    """Confirmed users and pools without auto-verification get no code."""
    pool_id, client = verifying()
    plain = app(pool())
    sign_up(call, client, "ann", email="sense@x.org")
    sign_up(call, plain, "ann", email="sense@x.org")
    call("AdminConfirmSignUp", UserPoolId=pool_id, Username="ann")

    assert refusal(call, "ResendConfirmationCode", ClientId=client["ClientId"], Username="ann") == (
        "InvalidParameterException", "User is already confirmed.",
    )  # fmt: skip
    assert refusal(call, "ResendConfirmationCode", ClientId=plain["ClientId"], Username="ann") == (
        "NotAuthorizedException", "Cannot resend codes. Auto verification not turned on.",
    )  # fmt: skip


def test_unknown_users_are_told_or_concealed(call, verifying, app):
    """LEGACY says that there is no such user; ENABLED answers as if there were one."""
    pool_id, legacy = verifying()
    hiding = app(pool_id, PreventUserExistenceErrors="ENABLED")

    assert confirm_refusal(call, legacy, "nobody", "123456") == NO_COMBINATION
    assert refusal(call, "ResendConfirmationCode", ClientId=legacy["ClientId"], Username="nobody") == NO_COMBINATION
    assert confirm_refusal(call, hiding, "nobody", "123456") == EXPIRED
    answers = [call("ResendConfirmationCode", ClientId=hiding["ClientId"], Username="nobody") for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["CodeDeliveryDetails"].keys() == {"AttributeName", "DeliveryMedium", "Destination"}


def test_limits_count_for_unknown_users_too(call, verifying):
    """Attempts are limited whether or not there is such a user, in any spelling of the name."""
    _, client = verifying(
        UsernameConfiguration={"CaseSensitive": False}, client={"PreventUserExistenceErrors": "ENABLED"}
    )
    for number in range(15):
        assert confirm_refusal(call, client, ["Nobody", "nobody"][number % 2], "123456") == EXPIRED

    assert confirm_refusal(call, client, "NOBODY", "123456") == LIMIT


def test_administrators_confirm_without_a_code(call, verifying):
    """AdminConfirmSignUp confirms once and verifies nothing."""
    pool_id, client = verifying()
    sign_up(call, client, "ann", email="admin@x.org")
    members = {"UserPoolId": pool_id, "Username": "ann"}

    assert call("AdminConfirmSignUp", **members, ClientMetadata={"why": "test"}) == {}

    assert status_of(call, pool_id, "ann") == "CONFIRMED"
    assert attributes_of(call, pool_id, "ann")["email_verified"] == "false"
    assert refusal(call, "AdminConfirmSignUp", **members) == (
        "NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED",
    )  # fmt: skip
    assert refusal(call, "AdminConfirmSignUp", UserPoolId=pool_id, Username="nobody") == NO_USER


def test_other_statuses_cannot_be_confirmed(call, pool, user):
    """The error names the status."""
    pool_id = pool()
    username = user(pool_id, password=None)

    assert refusal(call, "AdminConfirmSignUp", UserPoolId=pool_id, Username=username) == (
        "NotAuthorizedException", "User cannot be confirmed. Current status is FORCE_CHANGE_PASSWORD",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("alias", "value", "text"),
    [
        ("email", "shared@x.org", "An account with the email already exists."),
        ("phone_number", "+12065550188", "An account with the phone_number already exists."),
    ],
)
def test_an_alias_moves_only_by_force(call, verifying, inbox, alias, value, text):
    """A verified alias of another user is refused, and taken with ForceAliasCreation; the code stays good meanwhile."""
    pool_id, client = verifying(AliasAttributes=[alias])
    for username in ("ann", "bob"):
        sign_up(call, client, username, **{alias: value})
    codes = [message.code for message in inbox(value)][-2:]
    confirm(call, client, "ann", codes[0])

    assert confirm_refusal(call, client, "bob", codes[1]) == ("AliasExistsException", text)
    assert call("AdminGetUser", UserPoolId=pool_id, Username=value)["Username"] == "ann"

    confirm(call, client, "bob", codes[1], ForceAliasCreation=True)
    assert call("AdminGetUser", UserPoolId=pool_id, Username=value)["Username"] == "bob"
    assert attributes_of(call, pool_id, "ann")[f"{alias}_verified"] == "false"
    assert sign_in(call, client, value)["AccessToken"]


def test_one_of_many_sign_ups_wins(call, pool, app):
    """Of simultaneous sign-ups with one name exactly one succeeds."""
    pool_id = pool()
    client = app(pool_id)

    def attempt(_):
        try:
            return sign_up(call, client, "ann")["UserSub"]
        except ClientError as error:
            return error.response["Error"]["Message"]

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(attempt, range(6)))

    subs = [answer for answer in answers if answer != "User already exists"]
    assert len(subs) == 1
    assert attributes_of(call, pool_id, "ann")["sub"] == subs[0]


def test_one_of_many_sign_ups_wins_an_address(call, pool, app):
    """Of simultaneous sign-ups with one address exactly one succeeds."""
    client = app(pool(UsernameAttributes=["email"]))

    def attempt(_):
        try:
            return sign_up(call, client, "race@x.org")["UserSub"]
        except ClientError as error:
            return error.response["Error"]["Message"]

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(attempt, range(6)))

    assert answers.count("An account with the given email already exists.") == 5


def test_one_of_two_users_wins_an_alias(call, verifying, inbox):
    """Of two users who verify one alias at the same time exactly one gets it."""
    pool_id, client = verifying(AliasAttributes=["email"])
    for username in ("ann", "bob"):
        sign_up(call, client, username, email="alias-race@x.org")
    codes = dict(zip(("ann", "bob"), [message.code for message in inbox("alias-race@x.org")], strict=True))

    def attempt(username):
        try:
            confirm(call, client, username, codes[username])
        except ClientError as error:
            return error.response["Error"]["Message"]
        return "won"

    with ThreadPoolExecutor(2) as threads:
        answers = dict(zip(codes, threads.map(attempt, codes), strict=True))

    assert sorted(answers.values()) == ["An account with the email already exists.", "won"]
    [winner] = [username for username, answer in answers.items() if answer == "won"]
    assert call("AdminGetUser", UserPoolId=pool_id, Username="alias-race@x.org")["Username"] == winner
