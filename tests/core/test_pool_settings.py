"""Pools after CreateUserPool, UpdateUserPool and SetUserPoolMfaConfig (spec/api/02 §1–2, §4)."""

import msgspec
import pytest

from poolhouse.core.mfa_settings import pool_with_mfa
from poolhouse.core.pool_settings import new_pool, updated_pool
from poolhouse.model import (
    CreateUserPoolRequest,
    FeatureUnavailableInTierException,
    InvalidParameterException,
    SetUserPoolMfaConfigRequest,
    UpdateUserPoolRequest,
    UserPoolTaggingException,
)

POOL_ID = "us-east-1_AbCdEfGhI"
ARN = "arn:aws:lambda:us-east-1:111122223333:function:f"
ROLE = "arn:aws:iam::111122223333:role/sms"
SMS = {"SmsConfiguration": {"SnsCallerArn": ROLE}}
VERIFY = {"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]}}
NO_SMS = "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
UNVERIFIED = "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes"
FIRST_FACTORS = "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"


def factors(*names):
    return {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", *names]}}}


def create(now=1_760_000_000_123, **members):
    request = msgspec.convert({"PoolName": "p"} | members, CreateUserPoolRequest)
    return new_pool(request, pool_id=POOL_ID, account_id="111122223333", device_group_key="-abcdefgh", now=now)


def update(pool, **members):
    request = msgspec.convert({"UserPoolId": POOL_ID} | members, UpdateUserPoolRequest)
    return updated_pool(pool, request, 1_770_000_000_000)


def set_mfa(pool, **members):
    request = msgspec.convert({"UserPoolId": POOL_ID} | members, SetUserPoolMfaConfigRequest)
    return pool_with_mfa(pool, request, 1_770_000_000_000)


def shown(pool):
    return msgspec.to_builtins(pool.settings)


def refusal(make, *arguments, error=InvalidParameterException, **members):
    with pytest.raises(error) as caught:
        make(*arguments, **members)
    return caught.value.message


def test_a_pool_of_nothing_but_a_name_has_the_documented_defaults():
    """The whole object, SchemaAttributes apart, is that of spec/api/02 §1.1."""
    settings = shown(create())
    assert len(settings.pop("SchemaAttributes")) == 20
    assert settings.pop("AcrConfiguration") == {
        f"Level{level}": {"AcrValue": f"urn:cognito:loa:{level}"} for level in (1, 2, 3, 4)
    }
    assert settings == {
        "Id": POOL_ID,
        "Name": "p",
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": 8,
                "RequireUppercase": True,
                "RequireLowercase": True,
                "RequireNumbers": True,
                "RequireSymbols": True,
                "TemporaryPasswordValidityDays": 7,
            },
            "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]},
        },
        "DeletionProtection": "INACTIVE",
        "LambdaConfig": {},
        "LastModifiedDate": 1760000000.123,
        "CreationDate": 1760000000.123,
        "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
        "MfaConfiguration": "OFF",
        "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
        "UserPoolTags": {},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
        "Arn": f"arn:aws:cognito-idp:us-east-1:111122223333:userpool/{POOL_ID}",
        "AccountRecoverySetting": {
            "RecoveryMechanisms": [
                {"Priority": 1, "Name": "verified_email"},
                {"Priority": 2, "Name": "verified_phone_number"},
            ]
        },
        "UserPoolTier": "ESSENTIALS",
    }
    assert msgspec.to_builtins(create().mfa) == {"MfaConfiguration": "OFF"}


def test_a_lite_pool_shows_no_sign_in_policy():
    """It appears when the pool moves up."""
    lite = create(UserPoolTier="LITE")
    assert "SignInPolicy" not in shown(lite)["Policies"]
    assert "SignInPolicy" in shown(update(lite, UserPoolTier="ESSENTIALS"))["Policies"]


FULL = {
    "Policies": {
        "PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 3},
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]},
    },
    "LambdaConfig": {"PreSignUp": ARN},
    "AutoVerifiedAttributes": ["email"],
    "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_LINK"},
    "SmsAuthenticationMessage": "code {####}",
    "SmsVerificationMessage": "sms {####}",
    "EmailVerificationMessage": "mail {####}",
    "EmailVerificationSubject": "subject",
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True},
    "MfaConfiguration": "OPTIONAL",
    "EmailConfiguration": {"ReplyToEmailAddress": "a@b.example"},
    "SmsConfiguration": {"SnsCallerArn": ROLE, "ExternalId": "x"},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
    "UserPoolTags": {"team": "a"},
    "UserPoolTier": "PLUS",
    "KeyConfiguration": {"KeyType": "AWS_OWNED_KEY"},
    "IssuerConfiguration": {"Type": "UPDATED"},
    "AcrConfiguration": {"Level1": {"AcrValue": "low"}},
    "DeletionProtection": "ACTIVE",
    "DcrConfiguration": {"EnableStatus": "Disabled"},
}
KEPT = [
    "Policies",
    "MfaConfiguration",
    "EmailConfiguration",
    "SmsConfiguration",
    "AccountRecoverySetting",
    "UserPoolTags",
    "UserPoolTier",
    "KeyConfiguration",
    "IssuerConfiguration",
    "AcrConfiguration",
    "Name",
    "DeletionProtection",
    "DcrConfiguration",
]
GONE = [
    "UserPoolAddOns",
    "AutoVerifiedAttributes",
    "SmsAuthenticationMessage",
    "DeviceConfiguration",
    "SmsVerificationMessage",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
]


def test_every_setting_given_is_shown():
    """What a request sets, an answer has."""
    settings = shown(create(**FULL))
    assert settings["LambdaConfig"] == {"PreSignUp": ARN}
    assert settings["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 3}
    assert settings["VerificationMessageTemplate"] == {
        "DefaultEmailOption": "CONFIRM_WITH_LINK",
        "EmailMessage": "mail {####}",
        "EmailSubject": "subject",
        "SmsMessage": "sms {####}",
    }
    assert settings["AcrConfiguration"]["Level1"] == {"AcrValue": "low"}
    assert settings["AcrConfiguration"]["Level4"] == {"AcrValue": "urn:cognito:loa:4"}
    assert settings["DeviceConfiguration"] == {
        "ChallengeRequiredOnNewDevice": True,
        "DeviceOnlyRememberedOnUserPrompt": False,
    }
    for name in ("SmsConfiguration", "AccountRecoverySetting", "UserPoolTags", "UserPoolTier", "DeletionProtection"):
        assert settings[name] == FULL[name]
    for name in ("KeyConfiguration", "IssuerConfiguration", "SmsAuthenticationMessage", "SmsVerificationMessage"):
        assert settings[name] == FULL[name]


@pytest.mark.parametrize("member", KEPT)
def test_an_update_keeps(member):
    """The measured half of the table that stays."""
    before = create(**FULL)
    assert shown(update(before))[member] == shown(before)[member]


@pytest.mark.parametrize("member", GONE)
def test_an_update_resets(member):
    """The measured half of the table that goes back to nothing."""
    before = create(**FULL)
    assert member in shown(before)
    assert member not in shown(update(before))


def test_an_update_resets_to_defaults():
    """Triggers go, self sign-up opens again, links become codes."""
    settings = shown(update(create(**FULL)))
    assert settings["LambdaConfig"] == {}
    assert settings["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 3}
    assert settings["VerificationMessageTemplate"] == {"DefaultEmailOption": "CONFIRM_WITH_CODE"}
    assert settings["LastModifiedDate"] == 1_770_000_000.0
    assert settings["CreationDate"] == 1760000000.123


def test_an_update_renames():
    """PoolName can change."""
    assert shown(update(create(), PoolName="other"))["Name"] == "other"


@pytest.mark.parametrize("given", [{}, {"SignInPolicy": {}}, {"PasswordPolicy": {"MinimumLength": 20}}])
def test_policies_are_kept_in_every_combination(given):
    """A sub-policy that an update leaves out, or leaves empty, stays."""
    policies = shown(update(create(**FULL), Policies=given))["Policies"]
    assert policies["SignInPolicy"] == FULL["Policies"]["SignInPolicy"]
    assert policies["PasswordPolicy"]["MinimumLength"] == (20 if "PasswordPolicy" in given else 12)


def test_what_a_given_password_policy_does_not_require_is_not_required():
    """A policy in parts counts as a whole; a temporary validity of 0 means 7 days."""
    policy = shown(create(Policies={"PasswordPolicy": {"RequireNumbers": True, "TemporaryPasswordValidityDays": 0}}))
    assert policy["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 8,
        "RequireUppercase": False,
        "RequireLowercase": False,
        "RequireNumbers": True,
        "RequireSymbols": False,
        "TemporaryPasswordValidityDays": 7,
    }


def test_the_older_validity_sets_the_password_policy():
    """UnusedAccountValidityDays and TemporaryPasswordValidityDays are one setting; only one may be sent."""
    settings = shown(create(AdminCreateUserConfig={"UnusedAccountValidityDays": 5}))
    assert settings["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"] == 5
    both = {
        "AdminCreateUserConfig": {"UnusedAccountValidityDays": 5},
        "Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 5}},
    }
    text = "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"
    assert refusal(create, **both) == text
    assert refusal(update, create(), **both) == text


def test_attributes_to_verify_stand_in_the_check_when_an_update_omits_them():
    """The stored list meets the reset AutoVerifiedAttributes; given the latter again, the list is emptied."""
    before = create(AutoVerifiedAttributes=["email"], **VERIFY)
    assert refusal(update, before) == UNVERIFIED
    after = shown(update(before, AutoVerifiedAttributes=["email"]))
    assert after["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": []}
    assert shown(update(before, UserAttributeUpdateSettings={}))["UserAttributeUpdateSettings"] == {
        "AttributesRequireVerificationBeforeUpdate": []
    }
    assert refusal(create, **VERIFY) == UNVERIFIED


def test_registration_settings_are_replaced_whole():
    """An omitted EnableStatus means Enabled; an empty list stays empty."""
    before = create(DcrConfiguration={"OpenDcrEnabled": True, "AllowedScopes": ["a"]})
    assert shown(before)["DcrConfiguration"] == {
        "EnableStatus": "Enabled",
        "OpenDcrEnabled": True,
        "AuthenticatedGrantTypes": ["code", "client_credentials"],
        "OpenDcrGrantTypes": ["code"],
        "AllowedScopes": ["a"],
    }
    after = shown(update(before, DcrConfiguration={"OpenDcrGrantTypes": []}))["DcrConfiguration"]
    assert after["OpenDcrEnabled"] is False
    assert after["OpenDcrGrantTypes"] == []
    assert "AllowedScopes" not in after


def test_either_spelling_of_the_token_trigger_fills_the_other():
    """The short one means version 1."""
    config = shown(create(LambdaConfig={"PreTokenGeneration": ARN}))["LambdaConfig"]
    assert config["PreTokenGenerationConfig"] == {"LambdaArn": ARN, "LambdaVersion": "V1_0"}
    versioned = {"PreTokenGenerationConfig": {"LambdaArn": ARN, "LambdaVersion": "V2_0"}}
    assert shown(create(LambdaConfig=versioned))["LambdaConfig"]["PreTokenGeneration"] == ARN
    refusal(create, LambdaConfig=versioned | {"PreTokenGeneration": ARN + "2"})


def test_mfa_needs_a_factor():
    """ON or OPTIONAL needs SmsConfiguration in the request, or a factor that is enabled already."""
    assert refusal(create, MfaConfiguration="ON") == NO_SMS
    assert refusal(update, create(**SMS), MfaConfiguration="OPTIONAL") == NO_SMS
    on = create(MfaConfiguration="ON", SmsAuthenticationMessage="your {####}", **SMS)
    assert msgspec.to_builtins(on.mfa) == {
        "MfaConfiguration": "ON",
        "SmsMfaConfiguration": {"SmsAuthenticationMessage": "your {####}", **SMS},
    }
    totp = set_mfa(create(), MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True})
    assert msgspec.to_builtins(update(totp, MfaConfiguration="ON").mfa) == {
        "MfaConfiguration": "ON",
        "SoftwareTokenMfaConfiguration": {"Enabled": True},
    }


def test_an_explicit_off_switches_mfa_off():
    """An omitted MfaConfiguration keeps it with its factors."""
    on = create(MfaConfiguration="ON", **SMS)
    assert msgspec.to_builtins(update(on).mfa)["MfaConfiguration"] == "ON"
    off = update(on, MfaConfiguration="OFF")
    assert msgspec.to_builtins(off.mfa) == {"MfaConfiguration": "OFF"}
    assert off.settings.mfa_configuration == "OFF"


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"UsernameAttributes": ["email"], "AliasAttributes": ["email"]},
            "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
        ),
        (
            {"Schema": [{"Name": "preferred_username", "Required": True}], "AliasAttributes": ["preferred_username"]},
            "preferred_username cannot be both an alias and a required attribute.",
        ),
        (
            {"EmailConfiguration": {"EmailSendingAccount": "DEVELOPER"}},
            "Email sending account must have a SourceArn",
        ),
        *(
            ({"EmailConfiguration": {"From": sender}}, "Provided From email address is invalid")
            for sender in (
                "nobody",
                "a@b.example <a",
                "a@b.example, b@b.example",
                "A\r\nBcc: b@b.example <a@b.example>",
            )
        ),
        (
            {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["EMAIL_OTP"]}}},
            "PASSWORD is required in AllowedFirstAuthFactors",
        ),
        (factors("SOFTWARE_TOKEN"), "SOFTWARE_TOKEN is not supported in AllowedFirstAuthFactors"),
        (
            factors("SMS_OTP"),
            "SMS_OTP can not be configured as AuthFactor as user pool is missing valid SMS configuration",
        ),
        ({"MfaConfiguration": "ON", **SMS, **factors("EMAIL_OTP")}, FIRST_FACTORS),
        (
            {"MfaConfiguration": "ON", **SMS, **factors("WEB_AUTHN")},
            "WEB_AUTHN cannot be used as an auth factor when MFA is enabled if not configured for MFA",
        ),
        ({"SmsConfiguration": {}}, "SmsConfiguration must have an SnsCallerArn or EumsSms."),
        (
            {"SmsConfiguration": {"SnsCallerArn": ROLE, "EumsSms": {"CallerArn": ROLE}}},
            "SmsConfiguration cannot have both an SnsCallerArn and EumsSms.",
        ),
        (
            {"SmsConfiguration": {"EumsSms": {"CallerArn": ROLE, "Region": "eu-west-1"}}},
            "The Region of EumsSms must be the Region of the user pool.",
        ),
        (
            {"SmsConfiguration": {"SnsCallerArn": ROLE, "SnsRegion": "eu-west-1"}},
            "The SnsRegion is not allowed for the Region of the user pool.",
        ),
        (
            {"LambdaConfig": {"CustomEmailSender": {"LambdaArn": ARN, "LambdaVersion": "V1_0"}}},
            "KMSKeyID is required for a custom sender.",
        ),
        (
            {"AcrConfiguration": {"Level1": {"AcrValue": "urn:cognito:loa:2"}}},
            "The names in AcrConfiguration must be unique across all levels.",
        ),
        (
            {"KeyConfiguration": {"KeyType": "CUSTOMER_MANAGED_KEY"}},
            "KmsKeyArn is required when KeyType is CUSTOMER_MANAGED_KEY.",
        ),
        (
            {
                "AccountRecoverySetting": {
                    "RecoveryMechanisms": [
                        {"Priority": 1, "Name": "admin_only"},
                        {"Priority": 2, "Name": "verified_email"},
                    ]
                }
            },
            "The recovery mechanism admin_only cannot be combined with others.",
        ),
        (
            {
                "AccountRecoverySetting": {
                    "RecoveryMechanisms": [
                        {"Priority": 1, "Name": "verified_phone_number"},
                        {"Priority": 1, "Name": "verified_email"},
                    ]
                }
            },
            "The names and priorities of RecoveryMechanisms must be distinct.",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(members, text):
    """Each fault has its own text."""
    assert refusal(create, **members) == text


def test_an_update_checks_the_first_factors_against_live_mfa():
    """One-time passwords as a first factor and required MFA exclude each other, whichever comes second."""
    on = create(MfaConfiguration="ON", **SMS)
    assert refusal(update, on, **factors("SMS_OTP")) == FIRST_FACTORS
    otp = create(**factors("EMAIL_OTP"))
    assert refusal(update, otp, MfaConfiguration="ON", **SMS) == FIRST_FACTORS
    assert update(otp, MfaConfiguration="OPTIONAL", **SMS).mfa.mfa_configuration == "OPTIONAL"


@pytest.mark.parametrize(
    "tags", [{"aws:x": "1"}, {"AWS:x": "1"}, {"k\u00e9": "1"}, {"k": "\n"}, {f"k{n}": "" for n in range(51)}]
)
def test_bad_tags_have_their_own_error(tags):
    """Reserved prefixes, other characters and more than fifty are refused."""
    refusal(create, error=UserPoolTaggingException, UserPoolTags=tags)


@pytest.mark.parametrize(
    ("members", "feature"),
    [
        (factors("WEB_AUTHN"), "Passwordless Sign-In"),
        ({"Policies": {"PasswordPolicy": {"PasswordHistorySize": 1}}}, "Password History"),
        (
            {"LambdaConfig": {"PreTokenGenerationConfig": {"LambdaArn": ARN, "LambdaVersion": "V2_0"}}},
            "Token Customization with Pre-Token Generation Lambda V2_0",
        ),
        ({"AcrConfiguration": {"Level1": {"AcrValue": "low"}}}, "Custom ACR Names"),
        ({"DcrConfiguration": {}}, "Dynamic Client Registration"),
    ],
)
def test_features_of_essentials_are_not_for_lite(members, feature):
    """Neither at creation nor by moving down; ESSENTIALS has them."""
    text = f"The following features need to be disabled for the LITE tier configured: {feature}"
    error = FeatureUnavailableInTierException
    assert refusal(create, error=error, UserPoolTier="LITE", **members) == text
    essentials = create(**members)
    kept = {name: value for name, value in members.items() if name == "LambdaConfig"}
    assert refusal(update, essentials, error=error, UserPoolTier="LITE", **kept) == text


def test_threat_protection_is_for_plus():
    """OFF and version 1 triggers are fine everywhere."""
    audit = {"UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}
    text = refusal(create, error=FeatureUnavailableInTierException, **audit)
    assert text == "The following features need to be disabled for the ESSENTIALS tier configured: Threat Protection"
    assert create(UserPoolTier="PLUS", **audit).settings.user_pool_add_ons.advanced_security_mode == "AUDIT"
    create(UserPoolTier="LITE", UserPoolAddOns={"AdvancedSecurityMode": "OFF"})
    create(UserPoolTier="LITE", LambdaConfig={"PreTokenGeneration": ARN})


def test_tiers_move_freely_where_nothing_stands_in_the_way():
    """LITE, ESSENTIALS, PLUS and back to LITE."""
    pool = create(UserPoolTier="LITE")
    for tier in ("ESSENTIALS", "PLUS", "LITE"):
        pool = update(pool, UserPoolTier=tier)
        assert pool.settings.user_pool_tier == tier


TOTP = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
TOGETHER = "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
DEVELOPER = {
    "EmailConfiguration": {"EmailSendingAccount": "DEVELOPER", "SourceArn": "arn:aws:ses:us-east-1:1:identity/a"}
}


@pytest.mark.parametrize(
    ("pool", "members", "text"),
    [
        ({}, TOTP, TOGETHER),
        ({}, {"MfaConfiguration": "OFF", "SoftwareTokenMfaConfiguration": {"Enabled": False}}, TOGETHER),
        ({}, {"EmailMfaConfiguration": {}}, TOGETHER),
        (
            {},
            {"MfaConfiguration": "ON"},
            "Invalid MFA Configuration given. SMS MFA, Email MFA, or Software Token MFA must be enabled.",
        ),
        (
            {},
            {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": False}},
            "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.",
        ),
        (
            {},
            {"MfaConfiguration": "ON", "EmailMfaConfiguration": {}},
            "Cannot set EmailMfaConfiguration when user pool EmailConfiguration contains an EmailSendingAccount of COGNITO_DEFAULT",
        ),
        (factors("EMAIL_OTP"), {"MfaConfiguration": "ON", **TOTP}, FIRST_FACTORS),
        (
            factors("WEB_AUTHN"),
            {"MfaConfiguration": "ON", **TOTP},
            "Cannot set WebAuthn factor configuration to SINGLE_FACTOR if MFA is required and WebAuthn is an allowed first auth factor",
        ),
        ({}, {"MfaConfiguration": "ON", "SmsMfaConfiguration": {}}, NO_SMS),
    ],
)
def test_mfa_settings_that_do_not_fit_are_refused(pool, members, text):
    """Each fault has its own text."""
    assert refusal(set_mfa, create(**pool), **members) == text


def test_mfa_settings_are_replaced_whole():
    """With nothing given MFA is off and its factors are gone."""
    on = set_mfa(create(), MfaConfiguration="ON", **TOTP)
    assert msgspec.to_builtins(on.mfa) == {"MfaConfiguration": "ON", **TOTP}
    assert on.settings.mfa_configuration == "ON"
    assert msgspec.to_builtins(set_mfa(on).mfa) == {"MfaConfiguration": "OFF"}


def test_mfa_settings_change_the_pool_s_text_messages():
    """SmsMfaConfiguration carries settings of the pool itself."""
    sms = {"SmsConfiguration": {"SnsCallerArn": ROLE}, "SmsAuthenticationMessage": "hi {####}"}
    pool = set_mfa(create(), MfaConfiguration="OPTIONAL", SmsMfaConfiguration=sms)
    assert shown(pool)["SmsAuthenticationMessage"] == "hi {####}"
    assert shown(pool)["SmsConfiguration"] == {"SnsCallerArn": ROLE}
    assert msgspec.to_builtins(pool.mfa)["SmsMfaConfiguration"] == sms


@pytest.mark.parametrize("mfa", [{"MfaConfiguration": "ON", **TOTP}, {"MfaConfiguration": "OFF"}])
def test_passkeys_that_count_as_two_factors_go_with_mfa(mfa):
    """ON and OFF both take MULTI_FACTOR_WITH_USER_VERIFICATION."""
    passkeys = {"WebAuthnConfiguration": {"FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION"}}
    pool = set_mfa(create(**factors("WEB_AUTHN")), **mfa, **passkeys)
    assert msgspec.to_builtins(pool.mfa)["WebAuthnConfiguration"] == passkeys["WebAuthnConfiguration"]


def test_email_mfa_needs_essentials():
    """And a sender of the pool's own."""
    email = {"MfaConfiguration": "ON", "EmailMfaConfiguration": {"Subject": "s"}}
    assert set_mfa(create(**DEVELOPER), **email).mfa.email_mfa_configuration.subject == "s"
    text = refusal(set_mfa, create(UserPoolTier="LITE", **DEVELOPER), error=FeatureUnavailableInTierException, **email)
    assert text.endswith("Email MFA")
