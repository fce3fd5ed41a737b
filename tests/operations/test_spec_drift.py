"""What tools like Terraform do: make everything, read it back, change each setting, read it back, delete.

Sequences and members are those of Terraform's provider for AWS, whose own acceptance tests run against Cognito
(spec/api/02 §1–6, §8, §10).
"""

import pytest

from tests.matrix.model import input_of
from tests.operations.talk import refusal

ROLE = "arn:aws:iam::000000000000:role/sms"
SMS = {"SnsCallerArn": ROLE, "ExternalId": "test", "SnsRegion": "us-east-1"}
KEY = "arn:aws:kms:us-east-1:000000000000:key/mrk-00000000000000000000000000000000"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
INVITATION = {
    "EmailMessage": "Your username is {username} and temporary password is {####}. ",
    "EmailSubject": "FooBar {####}",
    "SMSMessage": "Your username is {username} and temporary password is {####}.",
}
POLICY = {
    "MinimumLength": 7,
    "RequireLowercase": True,
    "RequireNumbers": False,
    "RequireSymbols": True,
    "RequireUppercase": False,
    "TemporaryPasswordValidityDays": 14,
}
LEVELS = {f"Level{number}": {"AcrValue": f"urn:cognito:loa:{number}"} for number in range(1, 5)}
REGISTRATION = {
    "EnableStatus": "Enabled",
    "OpenDcrEnabled": True,
    "AuthenticatedGrantTypes": ["code", "client_credentials"],
    "OpenDcrGrantTypes": ["code"],
    "AllowedScopes": [],
}
EVERYTHING = {
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
    "AcrConfiguration": LEVELS,
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True, "InviteMessageTemplate": INVITATION},
    "AutoVerifiedAttributes": ["email"],
    "DcrConfiguration": REGISTRATION,
    "DeletionProtection": "ACTIVE",
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False},
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT", "ReplyToEmailAddress": "reply@x.org"},
    "IssuerConfiguration": {"Type": "ORIGINAL"},
    "KeyConfiguration": {"KeyType": "AWS_OWNED_KEY"},
    "LambdaConfig": {"PreSignUp": FUNCTION, "CustomMessage": FUNCTION},
    "Policies": {
        "PasswordPolicy": POLICY,
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]},
    },
    "PoolName": "everything",
    "SmsAuthenticationMessage": "auth {####}",
    "SmsConfiguration": SMS,
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
    "UserPoolTags": {"team": "a"},
    "UserPoolTier": "PLUS",
    "VerificationMessageTemplate": {
        "DefaultEmailOption": "CONFIRM_WITH_LINK",
        "EmailMessage": "foo {####} bar",
        "EmailMessageByLink": "{##foobar##}",
        "EmailSubject": "foobar {####}",
        "EmailSubjectByLink": "foobar",
        "SmsMessage": "{####} baz",
    },
}
FIXED = {
    "AliasAttributes": ["email", "preferred_username"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "Schema": [
        {
            "Name": "email",
            "AttributeDataType": "String",
            "Mutable": False,
            "Required": True,
            "StringAttributeConstraints": {"MinLength": "5", "MaxLength": "10"},
        },
        {"Name": "mybool", "AttributeDataType": "Boolean", "DeveloperOnlyAttribute": True, "Mutable": False},
        {"Name": "strattr", "AttributeDataType": "String", "StringAttributeConstraints": {}},
    ],
}


def describe(call, pool_id):
    return call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]


def without_dates(document):
    return {name: value for name, value in document.items() if name not in {"LastModifiedDate", "CreationDate"}}


def check_shown(settings, seen):
    """Check that a description shows what was set, apart from what the service adds."""
    for name, value in settings.items():
        if name == "AdminCreateUserConfig":
            days = seen["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"]
            assert seen[name] == {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": days} | value
        else:
            assert seen["Name" if name == "PoolName" else name] == value, name


def test_a_pool_with_everything(call, pool):
    """spec/api/02 §1: what was set is read back, a repeated update changes nothing but the date."""
    pool_id = pool(**EVERYTHING, **FIXED)
    seen = describe(call, pool_id)
    check_shown(EVERYTHING, seen)
    assert seen["AliasAttributes"] == FIXED["AliasAttributes"]
    assert seen["UsernameConfiguration"] == {"CaseSensitive": False}
    # The three older members follow the template.
    assert seen["EmailVerificationMessage"] == "foo {####} bar"
    assert seen["EmailVerificationSubject"] == "foobar {####}"
    assert seen["SmsVerificationMessage"] == "{####} baz"
    schema = {attribute["Name"]: attribute for attribute in seen["SchemaAttributes"]}
    assert schema["email"]["StringAttributeConstraints"] == {"MinLength": "5", "MaxLength": "10"}
    assert (schema["email"]["Mutable"], schema["email"]["Required"]) == (False, True)
    hidden = schema["dev:custom:mybool"]
    assert (hidden["DeveloperOnlyAttribute"], hidden["Mutable"], hidden["Required"]) == (True, False, False)
    assert not hidden.keys() & {"StringAttributeConstraints", "NumberAttributeConstraints"}
    assert schema["custom:strattr"]["StringAttributeConstraints"] == {}
    assert call("GetUserPoolMfaConfig", UserPoolId=pool_id) == {"MfaConfiguration": "OFF"}

    call("UpdateUserPool", UserPoolId=pool_id, MfaConfiguration="OFF", **EVERYTHING)
    assert without_dates(describe(call, pool_id)) == without_dates(seen)
    protected = refusal(call, "DeleteUserPool", UserPoolId=pool_id)
    assert protected[1].startswith("The user pool cannot be deleted because deletion protection is activated.")
    call("UpdateUserPool", UserPoolId=pool_id, **EVERYTHING | {"DeletionProtection": "INACTIVE"})
    call("DeleteUserPool", UserPoolId=pool_id)
    assert refusal(call, "DescribeUserPool", UserPoolId=pool_id)[0] == "ResourceNotFoundException"


CHANGES = {
    "AccountRecoverySetting": {
        "RecoveryMechanisms": [
            {"Name": "verified_phone_number", "Priority": 2},
            {"Name": "verified_email", "Priority": 1},
        ]
    },
    "AcrConfiguration": LEVELS | {"Level2": {"AcrValue": "urn:example:two"}},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
    "AutoVerifiedAttributes": ["email", "phone_number"],
    "DcrConfiguration": REGISTRATION | {"OpenDcrEnabled": False, "OpenDcrGrantTypes": []},
    "DeletionProtection": "INACTIVE",
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True},
    "EmailConfiguration": {
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/from@x.org",
        "From": "from@x.org",
        "ConfigurationSet": "set",
    },
    "IssuerConfiguration": {"Type": "UPDATED"},
    "KeyConfiguration": {"KeyType": "CUSTOMER_MANAGED_KEY", "KmsKeyArn": KEY},
    "LambdaConfig": {},
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 9,
            "RequireLowercase": False,
            "RequireNumbers": True,
            "RequireSymbols": False,
            "RequireUppercase": True,
            "TemporaryPasswordValidityDays": 3,
            "PasswordHistorySize": 5,
        },
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]},
    },
    "PoolName": "renamed",
    "SmsAuthenticationMessage": "updated {####}",
    "SmsConfiguration": {"SnsCallerArn": ROLE, "ExternalId": "test2"},
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": []},
    "UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"},
    "UserPoolTags": {"key": "value"},
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE", "EmailMessage": "now {####}"},
}
# Changed by tests of their own, here or in test_pools.py: what depends on other settings.
ELSEWHERE = {
    "MfaConfiguration",
    "UserPoolTier",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "SmsVerificationMessage",
}


def test_every_setting_is_changed():
    """spec/api/02 §2: no member of an update is left out here."""
    assert CHANGES.keys() | ELSEWHERE == input_of("UpdateUserPool").members.keys() - {"UserPoolId"}


@pytest.mark.parametrize("name", CHANGES)
def test_changing_one_setting(call, pool, name):
    """spec/api/02 §2: an update with everything and one change reads back as just that, and back again."""
    pool_id = pool(**EVERYTHING)
    before = describe(call, pool_id)
    changed = EVERYTHING | {name: CHANGES[name]}
    call("UpdateUserPool", UserPoolId=pool_id, **changed)
    check_shown(changed, describe(call, pool_id))
    call("UpdateUserPool", UserPoolId=pool_id, **EVERYTHING)
    assert without_dates(describe(call, pool_id)) == without_dates(before)


def test_the_older_messages(call, pool):
    """spec/api/02 §1.4: the three older members fill the template, and an update that omits them empties both."""
    messages = {
        "EmailVerificationMessage": "{####} Baz",
        "EmailVerificationSubject": "BazBaz {####}",
        "SmsVerificationMessage": "{####} BazBazBar?",
    }
    pool_id = pool(**messages, VerificationMessageTemplate={"DefaultEmailOption": "CONFIRM_WITH_CODE"})
    seen = describe(call, pool_id)
    assert seen["VerificationMessageTemplate"] == {
        "DefaultEmailOption": "CONFIRM_WITH_CODE",
        "EmailMessage": "{####} Baz",
        "EmailSubject": "BazBaz {####}",
        "SmsMessage": "{####} BazBazBar?",
    }
    assert messages.items() <= seen.items()
    call("UpdateUserPool", UserPoolId=pool_id)
    seen = describe(call, pool_id)
    assert seen["VerificationMessageTemplate"] == {"DefaultEmailOption": "CONFIRM_WITH_CODE"}
    assert not seen.keys() & messages.keys()


MFA_STEPS = [
    ({"MfaConfiguration": "ON", "SmsMfaConfiguration": {"SmsConfiguration": SMS}}, True, None),
    (
        {
            "MfaConfiguration": "ON",
            "SmsMfaConfiguration": {"SmsConfiguration": SMS},
            "SoftwareTokenMfaConfiguration": {"Enabled": False},
        },
        True,
        False,
    ),
    ({"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}}, False, True),
    ({"MfaConfiguration": "OFF"}, False, None),
]


def test_second_factors(call, pool):
    """spec/api/02 §4: each step is read back; an update of the pool repeats MfaConfiguration without effect.

    The text message settings belong to the pool and stay when MFA goes.
    """
    pool_id = pool()
    for members, by_text, software in [*MFA_STEPS, *MFA_STEPS]:
        call("SetUserPoolMfaConfig", UserPoolId=pool_id, **members)
        call("UpdateUserPool", UserPoolId=pool_id, MfaConfiguration=members["MfaConfiguration"], SmsConfiguration=SMS)
        seen, mfa = describe(call, pool_id), call("GetUserPoolMfaConfig", UserPoolId=pool_id)
        assert seen["MfaConfiguration"] == mfa["MfaConfiguration"] == members["MfaConfiguration"]
        assert seen["SmsConfiguration"] == SMS
        assert ("SmsMfaConfiguration" in mfa) is by_text
        assert mfa.get("SoftwareTokenMfaConfiguration") == (None if software is None else {"Enabled": software})


CLIENT = {
    "ExplicitAuthFlows": ["CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"],
    "ReadAttributes": ["email"],
    "WriteAttributes": ["email"],
    "RefreshTokenValidity": 300,
    "AccessTokenValidity": 5,
    "IdTokenValidity": 6,
    "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "days"},
    "AllowedOAuthFlows": ["code", "implicit"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthScopes": ["phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"],
    "CallbackURLs": ["https://www.example.com/redirect", "https://www.example.com/callback"],
    "DefaultRedirectURI": "https://www.example.com/redirect",
    "LogoutURLs": ["https://www.example.com/login"],
    "SupportedIdentityProviders": ["COGNITO"],
    "PreventUserExistenceErrors": "LEGACY",
    "EnableTokenRevocation": True,
    "EnablePropagateAdditionalUserContextData": True,
    "AuthSessionValidity": 10,
    "AnalyticsConfiguration": {"ApplicationArn": "arn:aws:mobiletargeting:us-east-1:000000000000:apps/a"},
    "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10},
}
CLIENT_CHANGES = {
    "ClientName": "renamed",
    "ExplicitAuthFlows": ["ADMIN_NO_SRP_AUTH"],
    "ReadAttributes": ["email", "name"],
    "WriteAttributes": ["name"],
    "RefreshTokenValidity": 299,
    "AccessTokenValidity": 1,
    "IdTokenValidity": 24,
    "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "hours"},
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthFlowsUserPoolClient": False,
    "AllowedOAuthScopes": ["openid"],
    "CallbackURLs": ["https://www.example.com/redirect", "myapp://callback"],
    "LogoutURLs": ["https://www.example.com/a", "https://www.example.com/b"],
    "DefaultRedirectURI": "https://www.example.com/callback",
    "PreventUserExistenceErrors": "ENABLED",
    "EnableTokenRevocation": False,
    "EnablePropagateAdditionalUserContextData": False,
    "AuthSessionValidity": 15,
    "AnalyticsConfiguration": {"ApplicationArn": "arn:aws:mobiletargeting:us-east-1:000000000000:apps/b"},
    "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 20},
}


def test_every_setting_of_a_client_is_changed():
    """spec/api/02 §5.4: no member of an update is left out here; test_identity_providers.py has the providers."""
    changed = CLIENT_CHANGES.keys() | {"SupportedIdentityProviders"}
    assert changed == input_of("UpdateUserPoolClient").members.keys() - {"UserPoolId", "ClientId"}


@pytest.mark.parametrize("name", [None, *CLIENT_CHANGES])
def test_an_app_client(call, pool, name):
    """spec/api/02 §5: what was set is read back, the answer of an update is what Describe shows, and so for changes."""
    made = call("CreateUserPoolClient", UserPoolId=pool(), ClientName="c", GenerateSecret=True, **CLIENT)
    made = made["UserPoolClient"]
    assert CLIENT.items() <= made.items()
    ids = {"UserPoolId": made["UserPoolId"], "ClientId": made["ClientId"]}
    assert call("DescribeUserPoolClient", **ids)["UserPoolClient"] == made
    changed = {"ClientName": "c", **CLIENT} | ({name: CLIENT_CHANGES[name]} if name else {})
    answered = call("UpdateUserPoolClient", **ids, **changed)["UserPoolClient"]
    seen = call("DescribeUserPoolClient", **ids)["UserPoolClient"]
    assert answered == seen
    assert without_dates(seen) == without_dates(made) | changed
    assert seen["ClientSecret"] == made["ClientSecret"]
    assert seen["CreationDate"] == made["CreationDate"]
    call("DeleteUserPoolClient", **ids)
    missing = ("ResourceNotFoundException", f"User pool client {made['ClientId']} does not exist.")
    assert refusal(call, "DescribeUserPoolClient", **ids) == missing
    assert refusal(call, "UpdateUserPoolClient", **ids) == missing
    assert refusal(call, "DeleteUserPoolClient", **ids) == missing


def test_units_without_values(call, pool):
    """spec/api/02 §5.2: units alone are shown as given, and apply to the default numbers."""
    pool_id = pool()
    for unit in ("days", "hours"):
        units = dict.fromkeys(("AccessToken", "IdToken", "RefreshToken"), unit)
        made = call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="c", TokenValidityUnits=units)
        assert made["UserPoolClient"]["TokenValidityUnits"] == units
        assert not made["UserPoolClient"].keys() & {"AccessTokenValidity", "IdTokenValidity"}
    for unit in ("seconds", "minutes"):
        for token in ("AccessToken", "IdToken"):
            members = {"UserPoolId": pool_id, "ClientName": "c", "TokenValidityUnits": {token: unit}}
            told = ("InvalidParameterException", "Invalid range for token validity.")
            assert refusal(call, "CreateUserPoolClient", **members) == told


def test_empty_lists_of_a_client(call, pool):
    """spec/api/02 §5.1: sets that a tool sends empty are left out of the answer, as if they were not sent."""
    lists = {name: [] for name, value in CLIENT.items() if isinstance(value, list)}
    assert len(lists) == 8
    made = call("CreateUserPoolClient", UserPoolId=pool(), ClientName="c", **lists)
    assert not made["UserPoolClient"].keys() & lists.keys()


def test_domains_and_resource_servers(call, pool):
    """spec/api/02 §6, §8: made, read back, changed, read back, and gone without an error to read."""
    pool_id = pool()
    prefix = pool_id.lower().replace("_", "-drift-")
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix)
    assert describe(call, pool_id)["Domain"] == prefix
    for version in (2, 1):
        call("UpdateUserPoolDomain", UserPoolId=pool_id, Domain=prefix, ManagedLoginVersion=version)
        seen = call("DescribeUserPoolDomain", Domain=prefix)["DomainDescription"]
        assert (seen["ManagedLoginVersion"], seen["Status"], seen["UserPoolId"]) == (version, "ACTIVE", pool_id)
    ids = {"UserPoolId": pool_id, "Identifier": "https://api.example.com"}
    scopes = [{"ScopeName": "read", "ScopeDescription": "r"}, {"ScopeName": "write", "ScopeDescription": "w"}]
    for members in ({"Name": "a", "Scopes": scopes}, {"Name": "b", "Scopes": scopes[:1]}, {"Name": "c"}):
        operation = "CreateResourceServer" if members["Name"] == "a" else "UpdateResourceServer"
        answered = call(operation, **ids, **members)["ResourceServer"]
        assert answered == call("DescribeResourceServer", **ids)["ResourceServer"] == ids | members
    call("DeleteResourceServer", **ids)
    told = ("ResourceNotFoundException", "Resource server https://api.example.com does not exist.")
    assert refusal(call, "DescribeResourceServer", **ids) == told
    assert call("DeleteUserPoolDomain", UserPoolId=pool_id, Domain=prefix) == {}
    assert call("DescribeUserPoolDomain", Domain=prefix) == {"DomainDescription": {}}
    assert "Domain" not in describe(call, pool_id)
    call("DeleteUserPool", UserPoolId=pool_id)


def test_tags(call, pool):
    """spec/api/02 §10: tags set at creation, by tag operations and by updates are the same ones."""
    pool_id = pool(UserPoolTags={"key1": "value1"})
    arn = describe(call, pool_id)["Arn"]
    call("TagResource", ResourceArn=arn, Tags={"key1": "updated", "key2": ""})
    assert describe(call, pool_id)["UserPoolTags"] == {"key1": "updated", "key2": ""}
    call("UpdateUserPool", UserPoolId=pool_id)
    assert call("ListTagsForResource", ResourceArn=arn)["Tags"] == {"key1": "updated", "key2": ""}
    call("UntagResource", ResourceArn=arn, TagKeys=["key1", "absent"])
    assert call("ListTagsForResource", ResourceArn=arn)["Tags"] == {"key2": ""}
    call("UpdateUserPool", UserPoolId=pool_id, UserPoolTags={})
    assert call("ListTagsForResource", ResourceArn=arn) == {"Tags": {}}
