"""Second factors: what is due at sign-in, what may be preferred, and what is shown (spec/api/04 §9)."""

import pytest
from msgspec.structs import replace

from poolhouse.core.factors import (
    EMAIL,
    SMS,
    TOTP,
    configured_factors,
    due_factors,
    options_of,
    settings_of,
    with_options,
    with_preferences,
    with_token,
    without_token,
)
from poolhouse.core.recovery import get_recovery_attribute
from poolhouse.core.user import Factors, SoftwareToken
from poolhouse.model import (
    AccountRecoverySettingType,
    DeliveryMediumType,
    EmailMfaConfigType,
    EmailMfaSettingsType,
    GetUserPoolMfaConfigResponse,
    InvalidParameterException,
    MFAOptionType,
    RecoveryOptionNameType,
    RecoveryOptionType,
    SetUserMFAPreferenceRequest,
    SignInPolicyType,
    SmsMfaConfigType,
    SMSMfaSettingsType,
    SoftwareTokenMfaConfigType,
    SoftwareTokenMFANotFoundException,
    SoftwareTokenMfaSettingsType,
    UserPoolMfaType,
    UserPoolPolicyType,
    UserPoolTierType,
    WebAuthnConfigurationType,
    WebAuthnFactorConfigurationType,
    WebAuthnMfaSettingsType,
)
from tests.core.examples import make_pool, make_user

OFF, OPTIONAL, ON = UserPoolMfaType.OFF, UserPoolMfaType.OPTIONAL, UserPoolMfaType.ON
TOKEN = SoftwareToken(sealed=b"sealed", created_at=1)
CONTACTS = {"phone_number": "+491", "email": "a@x.org", "email_verified": "true"}
BOTH_IN_ONE = WebAuthnFactorConfigurationType.MULTI_FACTOR_WITH_USER_VERIFICATION


def pool_of(mfa=OPTIONAL, *offered, passkeys=None, first=(), **settings):
    """A pool that offers these factors."""
    policies = UserPoolPolicyType(sign_in_policy=SignInPolicyType(allowed_first_auth_factors=list(first) or None))
    configuration = GetUserPoolMfaConfigResponse(
        mfa_configuration=mfa,
        sms_mfa_configuration=SmsMfaConfigType() if SMS in offered else None,
        software_token_mfa_configuration=SoftwareTokenMfaConfigType(enabled=TOTP in offered),
        email_mfa_configuration=EmailMfaConfigType() if EMAIL in offered else None,
        web_authn_configuration=WebAuthnConfigurationType(factor_configuration=passkeys) if passkeys else None,
    )
    return replace(make_pool(policies=policies, **settings), mfa=configuration)


def user_of(*active, preferred=None, token=TOKEN, attributes=CONTACTS, **factors):
    made = Factors(active=active, preferred=preferred, software_token=token, **factors)
    return make_user(attributes=attributes, factors=made)


ALL = pool_of(OPTIONAL, SMS, TOTP, EMAIL)
REQUIRED = pool_of(ON, SMS, TOTP, EMAIL)
BLOCKS = {
    "sms": ("sms_mfa_settings", SMSMfaSettingsType),
    "totp": ("software_token_mfa_settings", SoftwareTokenMfaSettingsType),
    "email": ("email_mfa_settings", EmailMfaSettingsType),
}


def wish(passkey=None, **blocks):
    """A request: for each block (enabled, preferred)."""
    members = {}
    for name, (enabled, preferred) in blocks.items():
        member, kind = BLOCKS[name]
        members[member] = kind(enabled=enabled, preferred_mfa=preferred)
    if passkey is not None:
        members["web_authn_mfa_settings"] = WebAuthnMfaSettingsType(enabled=passkey)
    return SetUserMFAPreferenceRequest(access_token="t", **members)


def refusal(pool, user, request, error=InvalidParameterException):
    with pytest.raises(error) as caught:
        with_preferences(pool, user, request)
    return caught.value.message


@pytest.mark.parametrize(
    ("pool", "user", "due"),
    [
        (pool_of(OFF), user_of(SMS, TOTP, EMAIL), ()),
        (pool_of(None), user_of(TOTP), ()),
        (ALL, user_of(), ()),
        (ALL, user_of(SMS, TOTP, EMAIL), (SMS, TOTP, EMAIL)),
        (pool_of(OPTIONAL, SMS), user_of(SMS, TOTP, EMAIL), (SMS, TOTP)),
        (pool_of(OPTIONAL, EMAIL), user_of(SMS), ()),
        (ALL, user_of(SMS, attributes={}), (SMS,)),
        (ALL, user_of(SMS, EMAIL, attributes={"email": "a@x.org"}), (EMAIL,)),
        (REQUIRED, user_of(SMS, attributes={}), ()),
        (REQUIRED, user_of(EMAIL, attributes={"phone_number": "+15550100"}), (SMS,)),
        (REQUIRED, user_of(), (SMS,)),
        (REQUIRED, user_of(EMAIL), (EMAIL,)),
        (REQUIRED, user_of(attributes={}), ()),
        (pool_of(ON, TOTP), user_of(), ()),
        (pool_of(ON, SMS), user_of(EMAIL), (SMS,)),
    ],
)
def test_what_is_due(pool, user, due):
    """The user's factors that the pool offers, an authenticator app always; required, a telephone is one by itself.

    A factor whose address is gone is nothing beside another one, and where one is required another is to be set up;
    elsewhere it stays due: nobody gets around it by deleting the address.
    """
    assert due_factors(pool, user) == due


@pytest.mark.parametrize(
    ("before", "request_", "active", "preferred"),
    [
        (user_of(), wish(), (), None),
        (user_of(), wish(sms=(True, None)), (SMS,), None),
        (user_of(), wish(email=(True, True), sms=(True, False)), (SMS, EMAIL), EMAIL),
        (user_of(SMS, preferred=SMS), wish(totp=(True, True)), (SMS, TOTP), TOTP),
        (user_of(SMS, TOTP, preferred=SMS), wish(totp=(None, True)), (SMS, TOTP), TOTP),
        (user_of(SMS, TOTP, preferred=SMS), wish(sms=(True, None)), (SMS, TOTP), SMS),
        (user_of(SMS, TOTP, preferred=SMS), wish(sms=(True, False)), (SMS, TOTP), None),
        (user_of(SMS, TOTP, preferred=SMS), wish(sms=(False, None)), (TOTP,), None),
        (user_of(SMS, TOTP, preferred=TOTP), wish(sms=(False, False)), (TOTP,), TOTP),
        (user_of(TOTP), wish(totp=(None, None)), (TOTP,), None),
        (user_of(TOTP), wish(totp=(False, False)), (), None),
    ],
)
def test_preferences(before, request_, active, preferred):
    """A block changes its factor only; what is left out stays; one preference takes the place of another."""
    after = with_preferences(ALL, before, request_)
    assert (after.active, after.preferred) == (active, preferred)
    assert after.software_token == TOKEN


@pytest.mark.parametrize(
    ("pool", "user", "request_", "text"),
    [
        (ALL, user_of(), wish(sms=(True, True), totp=(True, True)), "Only one MFA method can be preferred."),
        (
            ALL,
            user_of(SMS),
            wish(sms=(False, True)),
            "SMS_MFA cannot be the preferred MFA method unless it is enabled.",
        ),
        (
            ALL,
            user_of(token=None),
            wish(totp=(True, True)),
            "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA",
        ),
        (
            ALL,
            user_of(token=None, pending_token=TOKEN),
            wish(totp=(True, None)),
            "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA",
        ),
        (
            ALL,
            user_of(attributes={}),
            wish(sms=(True, None)),
            "User does not have delivery config set to turn on SMS_MFA",
        ),
        (
            ALL,
            user_of(attributes=CONTACTS | {"email_verified": "false"}),
            wish(email=(True, None)),
            "User does not have delivery config set to turn on EMAIL_OTP",
        ),
        (pool_of(OPTIONAL, TOTP), user_of(), wish(sms=(True, None)), "SMS MFA is not enabled for the userPool"),
        (pool_of(OPTIONAL, TOTP), user_of(), wish(email=(True, None)), "Email MFA is not enabled for the userPool"),
        (pool_of(OFF, SMS), user_of(), wish(sms=(True, None)), "SMS MFA is not enabled for the userPool"),
        (
            pool_of(OPTIONAL, EMAIL, user_pool_tier=UserPoolTierType.LITE),
            user_of(),
            wish(email=(True, None)),
            "Email MFA is not available in the LITE tier.",
        ),
        (
            REQUIRED,
            user_of(SMS, TOTP),
            wish(sms=(False, None), totp=(False, None)),
            "The last MFA method cannot be disabled where the user pool requires MFA.",
        ),
    ],
)
def test_preferences_that_are_refused(pool, user, request_, text):
    """Each rule has its sentence; those that are known are Cognito's."""
    assert refusal(pool, user, request_) == text


def test_an_authenticator_app_that_the_pool_does_not_offer():
    """It is refused as such; who has it turned on already may say so again, and may turn it off."""
    pool = pool_of(OPTIONAL, SMS)
    text = refusal(pool, user_of(), wish(totp=(True, True)), SoftwareTokenMFANotFoundException)
    assert text == "Software Token MFA has not been enabled by the userPool"
    assert with_preferences(pool, user_of(TOTP), wish(totp=(True, True))).preferred == TOTP
    assert with_preferences(pool, user_of(TOTP), wish(totp=(False, None))).active == ()


def test_a_required_factor_may_be_exchanged():
    """Where MFA is required one factor may go as long as another stays, or where there was none."""
    assert with_preferences(REQUIRED, user_of(SMS, TOTP), wish(sms=(False, None))).active == (TOTP,)
    assert with_preferences(REQUIRED, user_of(SMS), wish(sms=(False, None), totp=(True, True))).active == (TOTP,)
    assert with_preferences(REQUIRED, user_of(), wish(sms=(False, None))).active == ()


def test_passkeys_as_both_factors():
    """They need the setting of the pool, its tier and another factor, which then has to stay (spec/api/10 §11)."""
    pool = pool_of(OPTIONAL, TOTP, passkeys=BOTH_IN_ONE)
    on = with_preferences(pool, user_of(), wish(passkey=True, totp=(True, None)))
    assert on.passkey_mfa
    assert "MULTI_FACTOR_WITH_USER_VERIFICATION" in refusal(ALL, user_of(TOTP), wish(passkey=True))
    lite = pool_of(OPTIONAL, TOTP, passkeys=BOTH_IN_ONE, user_pool_tier=UserPoolTierType.LITE)
    assert "LITE" in refusal(lite, user_of(TOTP), wish(passkey=True))
    another = "Passkey MFA needs another MFA method of the user that is enabled."
    assert refusal(pool, user_of(), wish(passkey=True)) == another
    having = make_user(factors=on)
    assert refusal(pool, having, wish(totp=(False, None))) == another
    assert not with_preferences(pool, having, wish(passkey=False, totp=(False, None))).passkey_mfa
    assert with_preferences(pool, having, wish(totp=(True, True))).passkey_mfa


def test_the_older_settings():
    """SetUserSettings turns text messages on and off, and knows nothing else (spec/api/03 §10)."""
    sms = MFAOptionType(delivery_medium=DeliveryMediumType.SMS, attribute_name="phone_number")
    on = with_options(ALL, user_of(TOTP, preferred=TOTP), [sms])
    assert (on.active, on.preferred) == ((SMS, TOTP), TOTP)
    assert with_options(ALL, user_of(SMS, TOTP, preferred=SMS), []).active == (TOTP,)
    wrong = [
        MFAOptionType(delivery_medium=DeliveryMediumType.EMAIL, attribute_name="phone_number"),
        MFAOptionType(delivery_medium=DeliveryMediumType.SMS, attribute_name="email"),
        MFAOptionType(),
    ]
    for option in wrong:
        with pytest.raises(InvalidParameterException):
            with_options(ALL, user_of(), [sms, option])


def test_tokens_come_and_go():
    """A new token takes the place of the old one; without any, its preference and a passkey that stood on it go too."""
    waiting = Factors(active=(TOTP,), preferred=TOTP, software_token=TOKEN, pending_token=TOKEN, passkey_mfa=True)
    newer = SoftwareToken(sealed=b"newer", created_at=2)
    assert with_token(waiting, newer) == replace(waiting, software_token=newer, pending_token=None)
    assert with_token(Factors(), newer, active=True).active == (TOTP,)
    assert with_token(Factors(), newer).active == ()
    assert without_token(waiting) == Factors()
    kept = without_token(replace(waiting, active=(SMS, TOTP), preferred=SMS))
    assert kept == Factors(active=(SMS,), preferred=SMS, passkey_mfa=True)


def test_what_is_shown():
    """The lists are left out where they would be empty; the older MFAOptions tell of text messages."""
    assert settings_of(user_of()) == (None, None)
    assert settings_of(user_of(SMS, TOTP, preferred=TOTP)) == (["SMS_MFA", "SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA")
    assert options_of(Factors(active=(TOTP,))) is None
    (option,) = options_of(Factors(active=(SMS,)))
    assert (option.delivery_medium, option.attribute_name) == ("SMS", "phone_number")


@pytest.mark.parametrize(
    ("pool", "user", "shown"),
    [
        (pool_of(OFF), user_of(token=None), []),
        (pool_of(OFF, first=["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]), user_of(), "EMAIL_OTP SMS_OTP SOFTWARE_TOKEN"),
        (pool_of(OFF, first=["PASSWORD", "WEB_AUTHN"]), replace(user_of(token=None), passkeys=2), "WEB_AUTHN"),
        (pool_of(OFF), replace(user_of(token=None), passkeys=2), []),
        (ALL, user_of(SMS, EMAIL, token=None), "EMAIL_OTP SMS_OTP"),
    ],
)  # fmt: skip
def test_configured_factors(pool, user, shown):
    """First factors are those that the pool allows and the user has; a second factor counts where it is turned on."""
    assert configured_factors(pool, user) == (shown.split() if shown else [])


def test_recovery_does_not_go_where_the_second_factor_goes():
    """A telephone or an address used for second factors is passed over, but in pools without a setting."""
    options = [
        RecoveryOptionType(priority=priority, name=RecoveryOptionNameType(name))
        for priority, name in ((1, "verified_phone_number"), (2, "verified_email"))
    ]
    pool = make_pool(account_recovery_setting=AccountRecoverySettingType(recovery_mechanisms=options))
    attributes = CONTACTS | {"phone_number_verified": "true"}
    assert get_recovery_attribute(pool, user_of(TOTP, attributes=attributes)) == "phone_number"
    assert get_recovery_attribute(pool, user_of(SMS, attributes=attributes)) == "email"
    assert get_recovery_attribute(make_pool(), user_of(SMS, attributes=attributes)) == "phone_number"
    with pytest.raises(InvalidParameterException):
        get_recovery_attribute(pool, user_of(SMS, EMAIL, attributes=attributes))
    # A telephone is a factor without any set-up where the pool requires one.
    required = replace(pool, mfa=REQUIRED.mfa)
    assert get_recovery_attribute(required, user_of(attributes=attributes)) == "email"
    assert get_recovery_attribute(required, user_of(TOTP, attributes=attributes)) == "phone_number"
