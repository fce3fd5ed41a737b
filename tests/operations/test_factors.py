"""Second factors of users over the wire: authenticator apps and preferences (spec/api/04 §9)."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.operations.owner import CONTACTS, EVERYTHING, ON, PREFERRED, TURNED_OFF
from tests.operations.talk import listed, other, refusal, shown, sign_in, sign_up

ASSOCIATE, VERIFY = "AssociateSoftwareToken", "VerifySoftwareToken"
PREFER, ADMIN_PREFER = "SetUserMFAPreference", "AdminSetUserMFAPreference"
MISMATCH = ("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
NO_TOKEN = ("SoftwareTokenMFANotFoundException", "No software token was associated with the user.")
NOT_OFFERED = ("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
ONE_OF_TWO = ("InvalidParameterException", "Exactly one of AccessToken and Session must be given.")

# Authenticator apps


def test_an_app_is_set_up(owner):
    """The secret has 256 bits; a right code verifies it, and turns nothing on by itself."""
    ann = owner()
    answer = ann.does(ASSOCIATE)
    assert answer.keys() == {"SecretCode"}
    assert re.fullmatch("[A-Z2-7]{52}", answer["SecretCode"])
    assert ann.factors() == ["PASSWORD"]
    code = ann.code(answer["SecretCode"])
    assert ann.does(VERIFY, UserCode=code, FriendlyDeviceName="Ann's phone") == {"Status": "SUCCESS"}
    assert ann.factors() == ["PASSWORD", "SOFTWARE_TOKEN"]
    assert ann.settings() == (None, None)
    assert sign_in(ann.call, ann.client, ann.username)["AccessToken"]


def test_wrong_codes(owner):
    """A wrong code changes nothing: the next right one counts, of the step before or after too."""
    ann = owner()
    ann.associates()
    assert ann.may_not(VERIFY, UserCode=other(ann.code())) == MISMATCH
    assert ann.may_not(VERIFY, UserCode=ann.code(late=-90)) == MISMATCH
    assert ann.factors() == ["PASSWORD"]
    ann.does(VERIFY, UserCode=ann.code(late=30))
    assert ann.factors() == ["PASSWORD", "SOFTWARE_TOKEN"]


def test_a_second_secret_replaces_the_unverified_one(owner):
    """Of two secrets only the later one is verified; once it is, there is none to verify any more."""
    ann = owner()
    assert ann.may_not(VERIFY, UserCode="123456") == NO_TOKEN
    first = ann.associates()
    second = ann.associates()
    assert first != second
    assert ann.may_not(VERIFY, UserCode=ann.code(first)) == MISMATCH
    ann.does(VERIFY, UserCode=ann.code(second))
    assert ann.may_not(VERIFY, UserCode=ann.code(second, late=30)) == NO_TOKEN


def test_a_verified_secret_stays_until_the_next_is_verified(owner):
    """Beginning anew leaves the app and the preference as they are."""
    ann = owner()
    ann.has_an_app()
    ann.does(PREFER, SoftwareTokenMfaSettings=PREFERRED)
    ann.associates()
    assert ann.settings() == (["SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA")
    assert ann.factors() == ["PASSWORD", "SOFTWARE_TOKEN"]
    ann.does(VERIFY, UserCode=ann.code())
    assert ann.settings() == (["SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA")


def test_pools_without_apps(owner, call):
    """Where the pool offers none, nothing is set up, not even what was begun."""
    ann = owner("OFF")
    assert ann.may_not(ASSOCIATE) == NOT_OFFERED
    assert ann.may_not(VERIFY, UserCode="123456") == NOT_OFFERED
    bob = owner()
    bob.associates()
    call("SetUserPoolMfaConfig", UserPoolId=bob.pool_id)
    assert bob.may_not(VERIFY, UserCode=bob.code()) == NOT_OFFERED


def test_who_calls(owner, call):
    """Either an access token or a Session, each checked as everywhere, with errors that the operations declare."""
    ann = owner()
    for operation, more in ((ASSOCIATE, {}), (VERIFY, {"UserCode": "123456"})):
        assert refusal(call, operation, **more) == ONE_OF_TWO
        assert ann.may_not(operation, Session="s" * 20, **more) == ONE_OF_TWO
        assert refusal(call, operation, AccessToken="x", **more) == ("NotAuthorizedException", "Invalid Access Token")
        invalid = ("NotAuthorizedException", "Invalid session for the user.")
        assert refusal(call, operation, Session="s" * 20, **more) == invalid
    ann.admin("AdminDeleteUser")
    gone = "User does not exist."
    assert ann.may_not(ASSOCIATE) == ("NotAuthorizedException", gone)
    assert ann.may_not(VERIFY, UserCode="123456") == ("UserNotFoundException", gone)


def test_device_names(owner):
    """A name may be left out, and has an end."""
    ann = owner()
    ann.associates()
    code, text = ann.may_not(VERIFY, UserCode=ann.code(), FriendlyDeviceName="x" * 257)
    assert (code, text) == ("InvalidParameterException", "FriendlyDeviceName can have at most 256 characters.")
    ann.does(VERIFY, UserCode=ann.code(), FriendlyDeviceName="📱" * 256)


def test_secrets_are_sealed(owner, server):
    """Neither a secret that waits nor one in use is stored in clear, and each opens for its own user only."""
    ann = owner()
    ann.has_an_app()
    ann.associates()
    stored = server.read(lambda tx: tx.users.find_by_username(ann.pool_id, ann.username)).factors
    sealer = server.deps.sealer
    sub = shown(ann.call, ann.pool_id, ann.username)["UserAttributes"][0]["Value"]
    for token in (stored.software_token, stored.pending_token):
        assert len(sealer.open("software-token", token.sealed, f"{ann.pool_id}/{sub}".encode())) == 32
        with pytest.raises(Exception, match="sealed for another purpose"):
            sealer.open("software-token", token.sealed, f"{ann.pool_id}/somebody".encode())


def test_one_code_verifies_once(owner):
    """Of the same verification made several times at once, one succeeds."""
    ann = owner()
    ann.associates()
    code = ann.code()

    def verify(_):
        try:
            return ann.does(VERIFY, UserCode=code)["Status"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(4) as threads:
        told = sorted(threads.map(verify, range(4)))
    assert told == ["SUCCESS", *["SoftwareTokenMFANotFoundException"] * 3]


def test_an_administrator_takes_the_app_away(owner):
    """Secret, setting and preference go, other factors stay; where there is none nothing happens."""
    ann = owner(offered=EVERYTHING, attributes=CONTACTS)
    ann.has_an_app()
    ann.does(PREFER, SoftwareTokenMfaSettings=PREFERRED, SMSMfaSettings=ON)
    assert ann.admin("AdminDeleteSoftwareToken") == {}
    assert ann.settings() == (["SMS_MFA"], None)
    assert "SOFTWARE_TOKEN" not in ann.factors()
    assert ann.admin("AdminDeleteSoftwareToken") == {}
    code, text = ann.may_not(PREFER, SoftwareTokenMfaSettings=ON)
    assert (code, text) == (
        "InvalidParameterException",
        "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA",
    )
    ann.has_an_app()


# Preferences


@pytest.fixture(params=[PREFER, ADMIN_PREFER])
def prefer(request):
    """Set preferences by either operation; the second function is for those that are refused."""
    own = request.param == PREFER

    def do(ann, **blocks):
        return ann.does(PREFER, **blocks) if own else ann.admin(ADMIN_PREFER, **blocks)

    def refuse(ann, **blocks):
        if own:
            return ann.may_not(PREFER, **blocks)
        return refusal(ann.call, ADMIN_PREFER, UserPoolId=ann.pool_id, Username=ann.username, **blocks)

    return do, refuse


def test_preferences_are_shown(owner, prefer):
    """What is set is shown, in one order, by every operation that shows users."""
    prefer, _ = prefer
    ann = owner(offered=EVERYTHING, attributes=CONTACTS)
    ann.has_an_app()
    before = ann.admin("AdminGetUser")
    assert prefer(ann) == {}
    assert ann.settings() == (None, None)
    ann.server.clock.advance(60)
    assert prefer(ann, EmailMfaSettings=ON, SoftwareTokenMfaSettings=PREFERRED, SMSMfaSettings=ON) == {}
    assert ann.settings() == (["SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP"], "SOFTWARE_TOKEN_MFA")
    assert ann.factors() == ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "SOFTWARE_TOKEN"]
    after = ann.admin("AdminGetUser")
    assert after["UserLastModifiedDate"] > before["UserLastModifiedDate"]
    assert after["MFAOptions"] == [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]
    assert ann.does("GetUser")["MFAOptions"] == after["MFAOptions"]
    (listing,) = ann.call("ListUsers", UserPoolId=ann.pool_id)["Users"]
    assert listing["MFAOptions"] == after["MFAOptions"]
    prefer(ann, SMSMfaSettings=TURNED_OFF, SoftwareTokenMfaSettings=TURNED_OFF, EmailMfaSettings=TURNED_OFF)
    assert ann.settings() == (None, None)
    assert "MFAOptions" not in ann.admin("AdminGetUser")


def test_preferences_that_are_refused_change_nothing(owner, prefer):
    """Of a request with one wrong block nothing is kept."""
    prefer, refuse = prefer
    ann = owner(offered=EVERYTHING, attributes=CONTACTS)
    code, text = refuse(ann, SMSMfaSettings=PREFERRED, SoftwareTokenMfaSettings=ON)
    assert (code, text) == (
        "InvalidParameterException",
        "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA",
    )
    code, _ = refuse(ann, SMSMfaSettings=PREFERRED, EmailMfaSettings=PREFERRED)
    assert code == "InvalidParameterException"
    code, _ = refuse(ann, SMSMfaSettings={"Enabled": False, "PreferredMfa": True})
    assert code == "InvalidParameterException"
    code, _ = refuse(ann, WebAuthnMfaSettings=ON)
    assert code == "InvalidParameterException"
    assert ann.settings() == (None, None)


def test_a_required_factor_cannot_be_given_up(owner, prefer, call):
    """Where the pool requires MFA the last factor stays, for administrators too."""
    prefer, refuse = prefer
    ann = owner(offered=EVERYTHING, attributes=CONTACTS)
    prefer(ann, SMSMfaSettings=ON, EmailMfaSettings=ON)
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="ON", **EVERYTHING)
    prefer(ann, SMSMfaSettings=TURNED_OFF)
    code, text = refuse(ann, EmailMfaSettings=TURNED_OFF)
    assert (code, text) == (
        "InvalidParameterException",
        "The last MFA method cannot be disabled where the user pool requires MFA.",
    )
    assert ann.settings() == (["EMAIL_OTP"], None)


def test_passkeys_for_both_factors(owner, prefer, call):
    """The setting is taken where pool and user have what it needs, and holds the other factor."""
    prefer, refuse = prefer
    ann = owner(offered=EVERYTHING, attributes=CONTACTS)
    both = {"WebAuthnConfiguration": {"FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION"}}
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="OPTIONAL", **EVERYTHING, **both)
    assert refuse(ann, WebAuthnMfaSettings=ON)[0] == "InvalidParameterException"
    prefer(ann, WebAuthnMfaSettings=ON, SMSMfaSettings=ON)
    assert ann.settings() == (["SMS_MFA"], None)
    assert refuse(ann, SMSMfaSettings=TURNED_OFF)[0] == "InvalidParameterException"
    prefer(ann, WebAuthnMfaSettings=TURNED_OFF, SMSMfaSettings=TURNED_OFF)


def test_states_of_users(call, pool, app, owner):
    """Administrators set nothing for users who are not confirmed, or whose password is to be reset."""
    ann = owner(offered=EVERYTHING, attributes=CONTACTS)
    ann.admin("AdminResetUserPassword")
    ids = {"UserPoolId": ann.pool_id, "Username": ann.username}
    assert refusal(call, ADMIN_PREFER, **ids)[0] == "PasswordResetRequiredException"
    assert call("AdminDeleteSoftwareToken", **ids) == {}
    pool_id = pool()
    sign_up(call, app(pool_id), "bob")
    for operation in (ADMIN_PREFER, "AdminDeleteSoftwareToken"):
        code, text = refusal(call, operation, UserPoolId=pool_id, Username="bob")
        assert (code, text) == ("UserNotConfirmedException", "User is not confirmed.")
    assert call("AdminGetUserAuthFactors", UserPoolId=pool_id, Username="bob")["Username"] == "bob"


def test_who_is_not_there(call, pool):
    """Pools and users that do not exist are not found by any operation of administrators."""
    pool_id = pool()
    for operation in (ADMIN_PREFER, "AdminSetUserSettings", "AdminDeleteSoftwareToken", "AdminGetUserAuthFactors"):
        more = {"MFAOptions": []} if operation == "AdminSetUserSettings" else {}
        assert refusal(call, operation, UserPoolId=pool_id, Username="x", **more)[0] == "UserNotFoundException"
        gone = {"UserPoolId": "us-east-1_AAAAAAAAA", "Username": "x"}
        assert refusal(call, operation, **gone, **more)[0] == "ResourceNotFoundException"


def test_the_older_settings(owner):
    """SetUserSettings and AdminSetUserSettings turn text messages on and off, by the same rules (spec/api/03 §10)."""
    ann = owner(offered=EVERYTHING, attributes={"phone_number": "+15550100"})
    sms = [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]
    assert ann.does("SetUserSettings", MFAOptions=sms) == {}
    assert ann.settings() == (["SMS_MFA"], None)
    assert ann.admin("AdminSetUserSettings", MFAOptions=[]) == {}
    assert ann.settings() == (None, None)
    ann.admin("AdminSetUserSettings", MFAOptions=sms)
    assert ann.admin("AdminGetUser")["MFAOptions"] == sms
    for wrong in ({"DeliveryMedium": "EMAIL"}, {"AttributeName": "email"}):
        assert ann.may_not("SetUserSettings", MFAOptions=[sms[0] | wrong])[0] == "InvalidParameterException"
    ann.does("DeleteUserAttributes", UserAttributeNames=["phone_number"])
    code, text = ann.may_not("SetUserSettings", MFAOptions=sms)
    assert (code, text) == ("InvalidParameterException", "User does not have delivery config set to turn on SMS_MFA")


def test_recovery_goes_another_way(owner, call, inbox):
    """A password is not recovered by the telephone that is the second factor (spec/api/03 §7.1)."""
    options = [{"Priority": 1, "Name": "verified_phone_number"}, {"Priority": 2, "Name": "verified_email"}]
    ann = owner(
        offered=EVERYTHING,
        attributes=CONTACTS | {"phone_number_verified": "true"},
        AccountRecoverySetting={"RecoveryMechanisms": options},
    )
    forgot = {"ClientId": ann.client["ClientId"], "Username": ann.username}
    assert call("ForgotPassword", **forgot)["CodeDeliveryDetails"]["DeliveryMedium"] == "SMS"
    ann.does(PREFER, SMSMfaSettings=ON)
    assert call("ForgotPassword", **forgot)["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"


def test_settings_stay_with_the_user(owner, call):
    """They outlast a change of attributes, and a user made anew under the same name starts without."""
    ann = owner()
    ann.has_an_app()
    ann.does(PREFER, SoftwareTokenMfaSettings=PREFERRED)
    ann.admin("AdminUpdateUserAttributes", UserAttributes=listed(name="Ann"))
    ann.admin("AdminDisableUser")
    ann.admin("AdminEnableUser")
    assert ann.admin("AdminGetUser")["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    ann.admin("AdminDeleteUser")
    ann.admin("AdminCreateUser", MessageAction="SUPPRESS")
    again = ann.admin("AdminGetUserAuthFactors")
    assert "UserMFASettingList" not in again
    assert "SOFTWARE_TOKEN" not in again["ConfiguredUserAuthFactors"]
