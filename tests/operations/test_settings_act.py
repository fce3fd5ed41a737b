"""Every setting of a pool, its second factors and its clients acts: which test shows it, or why none does.

Settings that were accepted and then ignored would be worse than refused ones; the tables are whole both ways.
"""

import ast
import functools
import pathlib
from dataclasses import dataclass

import pytest
from botocore.model import ListShape, MapShape, StructureShape

import poolhouse.api.operations  # noqa: F401 - fills the registry
from poolhouse.api.registry import HANDLERS
from tests.matrix.model import input_of
from tests.operations.talk import listed, refusal, shown, sign_in, sign_up

TESTS = pathlib.Path(__file__).parent.parent


@dataclass(frozen=True)
class Kept:
    """A setting that this program has no use for, shown as it was set."""

    why: str
    test: str = "operations/test_spec_drift.py::test_a_pool_with_everything"


@dataclass(frozen=True)
class Later:
    """A setting that belongs to what is not served yet: to this operation, or to a part that is no operation."""

    why: str
    until: str | None = None


HERE = "operations/test_settings_act.py::"
PASSWORDS = "operations/test_spec_passwords.py::"
ATTRIBUTES = "operations/test_spec_attributes.py::"
TOKENS = "operations/test_spec_tokens.py::"
PASSKEYS = "operations/test_passkeys.py::"
REGISTRATION = Later("Clients cannot register themselves yet: the endpoint /oauth2/register.")
SENDERS = Kept("Messages go through the installation's gateway, which has no use for what names AWS's own.")
ORDER = "operations/test_trigger_order.py::"
CUSTOM_AUTH = "operations/test_custom_auth.py::test_a_custom_challenge"
CODES = "operations/test_message_factors.py::"
RISKS = "operations/test_risk_settings.py::"
MAIL = "delivery/test_whole_way.py::test_every_kind_of_mail"

# A name that ends in ".*" stands for all members below.
POOL: dict[str, str | Kept | Later] = {
    "PoolName": "operations/test_pools.py::test_an_update_answers_nothing_and_keeps_or_resets",
    "Policies.PasswordPolicy.MinimumLength": HERE + "test_least_length",
    "Policies.PasswordPolicy.RequireUppercase": PASSWORDS + "test_each_rule_of_a_policy",
    "Policies.PasswordPolicy.RequireLowercase": PASSWORDS + "test_each_rule_of_a_policy",
    "Policies.PasswordPolicy.RequireNumbers": PASSWORDS + "test_each_rule_of_a_policy",
    "Policies.PasswordPolicy.RequireSymbols": PASSWORDS + "test_each_rule_of_a_policy",
    "Policies.PasswordPolicy.PasswordHistorySize": PASSWORDS + "test_history_everywhere",
    "Policies.PasswordPolicy.TemporaryPasswordValidityDays": PASSWORDS + "test_days_of_a_temporary_password",
    "Policies.SignInPolicy.AllowedFirstAuthFactors": "operations/test_sign_up.py::test_a_password_can_be_left_out",
    "DeletionProtection": "operations/test_pools.py::test_a_protected_pool_is_not_deleted",
    "LambdaConfig.PreTokenGeneration": "operations/test_custom_claims.py::test_the_first_version",
    "LambdaConfig.PreTokenGenerationConfig.*": "operations/test_custom_claims.py::test_the_second_version",
    "LambdaConfig.PreSignUp": "triggers/test_whole_way.py::test_signing_up_and_in",
    "LambdaConfig.PreAuthentication": "triggers/test_whole_way.py::test_signing_up_and_in",
    "LambdaConfig.PostConfirmation": ORDER + "test_around_signing_up",
    "LambdaConfig.PostAuthentication": ORDER + "test_no_tokens_against_a_function_after_the_sign_in",
    "LambdaConfig.CustomMessage": "operations/test_custom_message.py::test_every_source_and_its_metadata",
    "LambdaConfig.UserMigration": "operations/test_user_migration.py::test_the_first_sign_in_brings_the_user_over",
    "LambdaConfig.DefineAuthChallenge": CUSTOM_AUTH,
    "LambdaConfig.CreateAuthChallenge": CUSTOM_AUTH,
    "LambdaConfig.VerifyAuthChallengeResponse": CUSTOM_AUTH,
    "LambdaConfig.CustomEmailSender.*": "operations/test_custom_senders.py::test_every_source",
    "LambdaConfig.CustomSMSSender.*": "operations/test_custom_senders.py::test_text_messages_have_their_own_sender",
    "LambdaConfig.KMSKeyID": "operations/test_custom_senders.py::test_what_goes_wrong_is_not_told",
    "LambdaConfig.InboundFederation.*": "flows/test_federation.py::test_a_function_between_provider_and_mapping",
    "AutoVerifiedAttributes": "operations/test_sign_up.py::test_nothing_to_verify_means_no_code",
    "AliasAttributes": TOKENS + "test_signing_in_by_every_name",
    "UsernameAttributes": "operations/test_sign_up.py::test_username_attributes",
    "SmsVerificationMessage": HERE + "test_the_older_words",
    "EmailVerificationMessage": HERE + "test_the_older_words",
    "EmailVerificationSubject": HERE + "test_the_older_words",
    "VerificationMessageTemplate.SmsMessage": ATTRIBUTES + "test_codes_in_the_pools_words",
    "VerificationMessageTemplate.EmailMessage": PASSWORDS + "test_templates_of_a_sign_up",
    "VerificationMessageTemplate.EmailSubject": PASSWORDS + "test_templates_of_a_sign_up",
    "VerificationMessageTemplate.EmailMessageByLink": PASSWORDS + "test_templates_of_a_sign_up",
    "VerificationMessageTemplate.EmailSubjectByLink": PASSWORDS + "test_templates_of_a_sign_up",
    "VerificationMessageTemplate.DefaultEmailOption": PASSWORDS + "test_templates_of_a_sign_up",
    "SmsAuthenticationMessage": "core/test_messages.py::test_the_pools_invitation_and_second_factor",
    "MfaConfiguration": "operations/test_auth.py::test_no_tokens_without_the_factor",
    "UserAttributeUpdateSettings.*": ATTRIBUTES + "test_a_waiting_address",
    "DeviceConfiguration.ChallengeRequiredOnNewDevice": (
        "operations/test_device_sign_in.py::test_a_device_stands_for_a_second_factor"
    ),
    "DeviceConfiguration.DeviceOnlyRememberedOnUserPrompt": (
        "operations/test_devices.py::test_who_decides_that_a_device_is_remembered"
    ),
    "EmailConfiguration.SourceArn": MAIL,
    "EmailConfiguration.ReplyToEmailAddress": MAIL,
    "EmailConfiguration.From": MAIL,
    "EmailConfiguration.EmailSendingAccount": "core/test_pool_settings.py::test_email_mfa_needs_essentials",
    "EmailConfiguration.ConfigurationSet": SENDERS,
    "SmsConfiguration.*": SENDERS,
    "UserPoolTags": "operations/test_pools.py::test_tags_are_added_changed_and_removed",
    "AdminCreateUserConfig.AllowAdminCreateUserOnly": (
        "operations/test_sign_up.py::test_sign_up_can_be_left_to_administrators"
    ),
    "AdminCreateUserConfig.UnusedAccountValidityDays": PASSWORDS + "test_days_of_a_temporary_password",
    "AdminCreateUserConfig.InviteMessageTemplate.*": PASSWORDS + "test_invitations_in_the_pools_words",
    "Schema[].Name": "operations/test_sign_up.py::test_the_schema_is_checked",
    "Schema[].AttributeDataType": HERE + "test_limits_of_attributes",
    "Schema[].DeveloperOnlyAttribute": ATTRIBUTES + "test_developers_attributes",
    "Schema[].Mutable": ATTRIBUTES + "test_refusals_have_their_texts",
    "Schema[].Required": "operations/test_sign_up.py::test_the_schema_is_checked",
    "Schema[].NumberAttributeConstraints.*": HERE + "test_limits_of_attributes",
    "Schema[].StringAttributeConstraints.*": HERE + "test_limits_of_attributes",
    "UserPoolAddOns.AdvancedSecurityMode": "operations/test_risk.py::test_audit_alters_no_answer",
    "UserPoolAddOns.AdvancedSecurityAdditionalFlows.*": (
        "operations/test_custom_auth.py::test_risk_has_a_word_after_the_functions"
    ),
    "DcrConfiguration.*": REGISTRATION,
    "UsernameConfiguration.CaseSensitive": "operations/test_spec_sign_up.py::test_names_in_another_case",
    "AccountRecoverySetting.*": PASSWORDS + "test_recovery_priorities",
    "UserPoolTier": "operations/test_pools.py::test_moving_to_lite_needs_clients_and_domains_that_fit",
    "KeyConfiguration.*": "operations/test_replicas.py::test_replicas_need_a_key_of_several_regions",
    "IssuerConfiguration.*": "oauth/test_spec_tokens.py::test_d14_tokens_of_the_aws_issuers",
    "AcrConfiguration{}.AcrValue": ("operations/test_step_up.py::test_tokens_tell_the_level_that_was_asked_about"),
}
FACTOR_SETTINGS: dict[str, str | Kept | Later] = {
    "MfaConfiguration": "operations/test_auth.py::test_no_tokens_without_the_factor",
    "SmsMfaConfiguration.SmsAuthenticationMessage": "core/test_messages.py::test_the_pools_invitation_and_second_factor",
    "SmsMfaConfiguration.SmsConfiguration.*": SENDERS,
    "SoftwareTokenMfaConfiguration.Enabled": "operations/test_factors.py::test_pools_without_apps",
    "EmailMfaConfiguration.*": CODES + "test_a_mail_is_asked_for",
    "WebAuthnConfiguration.RelyingPartyId": PASSKEYS + "test_where_the_relying_party_comes_from",
    "WebAuthnConfiguration.UserVerification": PASSKEYS + "test_user_verification",
    "WebAuthnConfiguration.FactorConfiguration": "operations/test_passkey_sign_in.py::test_a_passkey_for_both_factors",
}
CLIENT: dict[str, str | Kept | Later] = {
    "ClientName": "operations/test_clients.py::test_clients_are_listed_page_by_page",
    "GenerateSecret": "operations/test_clients.py::test_a_missing_or_wrong_hash_is_refused",
    "ClientSecret": "operations/test_clients.py::test_a_given_secret_is_taken",
    "RefreshTokenValidity": TOKENS + "test_lives_of_refresh_tokens",
    "AccessTokenValidity": TOKENS + "test_lives_of_access_and_id_tokens",
    "IdTokenValidity": TOKENS + "test_lives_of_access_and_id_tokens",
    "TokenValidityUnits.AccessToken": TOKENS + "test_lives_of_access_and_id_tokens",
    "TokenValidityUnits.IdToken": TOKENS + "test_lives_of_access_and_id_tokens",
    "TokenValidityUnits.RefreshToken": TOKENS + "test_lives_of_refresh_tokens",
    "ReadAttributes": TOKENS + "test_what_a_client_may_read",
    "WriteAttributes": TOKENS + "test_what_a_client_may_write",
    "ExplicitAuthFlows": "operations/test_auth.py::test_flows_that_are_off",
    "SupportedIdentityProviders": "login/test_sign_in.py::test_client_of_other_providers_only",
    "CallbackURLs": "oauth/test_authorize.py::test_a2_unregistered_redirect_uri",
    "LogoutURLs": "oauth/test_logout.py::test_o2_unregistered_logout_uri",
    "DefaultRedirectURI": "oauth/test_authorize.py::test_a34_default_redirect_uri",
    "AllowedOAuthFlows": "oauth/test_authorize.py::test_a8_response_type_not_enabled",
    "AllowedOAuthScopes": "oauth/test_authorize.py::test_a11_unknown_scope",
    "AllowedOAuthFlowsUserPoolClient": "oauth/test_token.py::test_a_client_that_is_barred_from_oauth",
    "AnalyticsConfiguration.*": Kept(
        "Amazon Pinpoint is not here.", "operations/test_spec_drift.py::test_an_app_client"
    ),
    "PreventUserExistenceErrors": "operations/test_spec_concealment.py::test_password_sign_in",
    "EnableTokenRevocation": TOKENS + "test_without_revocation",
    "EnablePropagateAdditionalUserContextData": "operations/test_auth_events.py::test_context",
    "AuthSessionValidity": TOKENS + "test_how_long_a_challenge_waits",
    "RefreshTokenRotation.Feature": TOKENS + "test_the_flow_of_refreshing_while_tokens_rotate",
    "RefreshTokenRotation.RetryGracePeriodSeconds": TOKENS + "test_grace_of_rotation",
}
RISK: dict[str, str | Kept | Later] = {
    "CompromisedCredentialsRiskConfiguration.*": RISKS + "test_events_of_compromised_passwords",
    "AccountTakeoverRiskConfiguration.Actions.LowAction.*": RISKS + "test_each_action_for_each_level",
    "AccountTakeoverRiskConfiguration.Actions.MediumAction.*": RISKS + "test_each_action_for_each_level",
    "AccountTakeoverRiskConfiguration.Actions.HighAction.*": RISKS + "test_each_action_for_each_level",
    "AccountTakeoverRiskConfiguration.NotifyConfiguration.From": MAIL,
    "AccountTakeoverRiskConfiguration.NotifyConfiguration.ReplyTo": MAIL,
    "AccountTakeoverRiskConfiguration.NotifyConfiguration.SourceArn": MAIL,
    "AccountTakeoverRiskConfiguration.NotifyConfiguration.BlockEmail.*": RISKS + "test_each_outcome_has_its_mail",
    "AccountTakeoverRiskConfiguration.NotifyConfiguration.NoActionEmail.*": RISKS + "test_each_outcome_has_its_mail",
    "AccountTakeoverRiskConfiguration.NotifyConfiguration.MfaEmail.*": RISKS + "test_each_outcome_has_its_mail",
    "RiskExceptionConfiguration.BlockedIPRangeList": RISKS + "test_blocked_ranges",
    "RiskExceptionConfiguration.SkippedIPRangeList": RISKS + "test_skipped_ranges",
}
IDS = {"UserPoolId", "ClientId"}
TABLES = [
    (POOL, ("CreateUserPool", "UpdateUserPool")),
    (FACTOR_SETTINGS, ("SetUserPoolMfaConfig",)),
    (CLIENT, ("CreateUserPoolClient", "UpdateUserPoolClient")),
    (RISK, ("SetRiskConfiguration",)),
]


def settings(shape, path=""):
    """Give the paths of all members of a request."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from settings(member, f"{path}.{name}" if path else name)
    elif isinstance(shape, ListShape) and isinstance(shape.member, StructureShape):
        yield from settings(shape.member, f"{path}[]")
    elif isinstance(shape, MapShape) and isinstance(shape.value, StructureShape):
        yield from settings(shape.value, path + "{}")
    else:
        yield path


def covers(entry, path):
    return path == entry or (entry.endswith(".*") and path.startswith((entry[:-1], entry[:-2] + "[]")))


@pytest.mark.parametrize(("table", "operations"), TABLES, ids=["pool", "factors", "client", "risk"])
def test_every_setting_is_accounted_for(table, operations):
    """Each member has exactly one entry, and no entry is about something that is not a setting."""
    paths = {path for operation in operations for path in settings(input_of(operation))} - IDS
    assert [path for path in paths if sum(covers(entry, path) for entry in table) != 1] == []
    assert [entry for entry in table if not any(covers(entry, path) for path in paths)] == []


@functools.cache
def names_in(file):
    return {node.name for node in ast.parse((TESTS / file).read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("table", "operations"), TABLES, ids=["pool", "factors", "client", "risk"])
def test_every_named_test_is_there(table, operations):
    """What an entry names is a test; what waits for an operation waits no longer than until that is served."""
    for entry, shown_by in table.items():
        if isinstance(shown_by, Later):
            assert shown_by.until not in HANDLERS, f"{entry}: {shown_by.until} is served; name the test that shows it"
            continue
        file, _, name = (shown_by.test if isinstance(shown_by, Kept) else shown_by).partition("::")
        assert name in names_in(file), entry


# What no other test shows


def test_least_length(call, pool, app, user):
    """spec/api/03 §5.3: MinimumLength holds in every operation that sets a password, from the next call on."""
    pool_id = pool(Policies={"PasswordPolicy": {"MinimumLength": 12}})
    client = app(pool_id)
    user(pool_id, "ann", password="Correct-Horse-1")
    token = sign_in(call, client, "ann")["AccessToken"]
    short, reason = "Eleven-ch-1", "Password not long enough"
    assert len(short) == 11
    later = ("InvalidPasswordException", f"Password does not conform to policy: {reason}")
    ann = {"UserPoolId": pool_id, "Username": "ann"}
    assert refusal(call, "SignUp", ClientId=client["ClientId"], Username="bob", Password=short) == (
        "InvalidPasswordException",
        f"Password did not conform with policy: {reason}",
    )
    assert refusal(call, "AdminSetUserPassword", **ann, Password=short) == later
    changed = {"AccessToken": token, "PreviousPassword": "Correct-Horse-1", "ProposedPassword": short}
    assert refusal(call, "ChangePassword", **changed) == later
    call("UpdateUserPool", UserPoolId=pool_id, Policies={"PasswordPolicy": {"MinimumLength": 11}})
    call("ChangePassword", **changed)
    assert sign_in(call, client, "ann", short)


def test_the_older_words(call, pool, app, inbox):
    """spec/api/02 §1.4: the three older members are what a sign-up is told in, until an update omits them."""
    words = {
        "EmailVerificationMessage": "older {####}",
        "EmailVerificationSubject": "an older code",
        "SmsVerificationMessage": "older text {####}",
    }
    pool_id = pool(AutoVerifiedAttributes=["email", "phone_number"], **words)
    client = app(pool_id)
    sign_up(call, client, "ann", email="older-words@x.org")
    sign_up(call, client, "bob", phone_number="+12025550181")
    (mail,), (text,) = inbox("older-words@x.org"), inbox("+12025550181")
    assert (mail.subject, mail.body) == ("an older code", f"older {mail.code}")
    assert text.body == f"older text {text.code}"
    call("UpdateUserPool", UserPoolId=pool_id, AutoVerifiedAttributes=["email", "phone_number"])
    call("ResendConfirmationCode", ClientId=client["ClientId"], Username="ann")
    assert "older" not in inbox("older-words@x.org")[-1].body


LIMITED = [
    {
        "Name": "word",
        "AttributeDataType": "String",
        "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "4"},
    },
    {
        "Name": "count",
        "AttributeDataType": "Number",
        "NumberAttributeConstraints": {"MinValue": "-1", "MaxValue": "10"},
    },
    {"Name": "flag", "AttributeDataType": "Boolean"},
    {"Name": "since", "AttributeDataType": "DateTime"},
    {"Name": "nickname", "AttributeDataType": "String", "StringAttributeConstraints": {"MaxLength": "3"}},
]
# Name, what just fits, what just does not.
AT_THE_LIMITS = [
    ("custom:word", ["xx", "xxxx"], ["x", "xxxxx"]),
    ("custom:count", ["-1", "10"], ["-2", "11", "ten"]),
    ("custom:flag", ["true", "false"], ["yes"]),
    ("custom:since", ["2024-02-29T00:00:00Z"], ["yesterday"]),
    ("nickname", ["xxx"], ["xxxx"]),
]


@pytest.mark.parametrize(("name", "fitting", "others"), AT_THE_LIMITS, ids=[name for name, _, _ in AT_THE_LIMITS])
def test_limits_of_attributes(call, pool, app, user, name, fitting, others):
    """spec/api/02 §1.3: type and limits hold for users and administrators, at creation and afterwards."""
    pool_id = pool(Schema=LIMITED)
    client = app(pool_id)
    user(pool_id, "ann")
    token = sign_in(call, client, "ann")["AccessToken"]

    def ways(value):
        attributes = [{"Name": name, "Value": value}]
        ann = {"UserPoolId": pool_id, "Username": "ann"}
        new = {"Username": f"new-{value}", "UserAttributes": attributes}
        yield "SignUp", {"ClientId": client["ClientId"], "Password": "Correct-Horse-1", **new}
        yield "AdminCreateUser", {"UserPoolId": pool_id, **new, "Username": f"invited-{value}"}
        yield "AdminUpdateUserAttributes", ann | {"UserAttributes": attributes}
        yield "UpdateUserAttributes", {"AccessToken": token, "UserAttributes": attributes}

    for value in fitting:
        for operation, members in ways(value):
            call(operation, **members)
    for value in others:
        for operation, members in ways(value):
            code, text = refusal(call, operation, **members)
            assert (code, name in text) == ("InvalidParameterException", True), (operation, value, text)
    kept = {it["Name"]: it["Value"] for it in shown(call, pool_id, "ann")["UserAttributes"]}
    assert kept[name] == fitting[-1]


FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:no-such-function"
VERSIONED = {"LambdaVersion": "V1_0", "LambdaArn": FUNCTION}
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
# A function that cannot be run makes the step fail that it belongs to; for custom senders nobody waits
# (operations/test_custom_senders.py).
CONSULTED = [
    ("PreSignUp", {"PreSignUp": FUNCTION}, "sign up"),
    ("CustomMessage", {"CustomMessage": FUNCTION}, "sign up"),
    ("PostConfirmation", {"PostConfirmation": FUNCTION}, "confirm"),
    ("PreAuthentication", {"PreAuthentication": FUNCTION}, "sign in"),
    ("PostAuthentication", {"PostAuthentication": FUNCTION}, "sign in"),
    ("PreTokenGeneration", {"PreTokenGeneration": FUNCTION}, "sign in"),
    ("PreTokenGeneration", {"PreTokenGenerationConfig": VERSIONED | {"LambdaVersion": "V2_0"}}, "sign in"),
    ("DefineAuthChallenge", {"DefineAuthChallenge": FUNCTION}, "be challenged"),
]


@pytest.mark.parametrize(("trigger", "config", "step"), CONSULTED)
def test_a_trigger_is_consulted(call, pool, app, user, inbox, trigger, config, step):
    """spec/api/06 §1–2: no step is taken without its function's consent; one that cannot be run refuses."""
    pool_id = pool(AutoVerifiedAttributes=["email", "phone_number"])
    client = app(pool_id, ExplicitAuthFlows=FLOWS)
    user(pool_id, "ann")
    address = f"{pool_id}-{trigger}@x.org"
    sign_up(call, client, "waiting", email=address)
    code = inbox(address)[-1].code
    call(
        "UpdateUserPool",
        UserPoolId=pool_id,
        LambdaConfig=config,
        AutoVerifiedAttributes=["email", "phone_number"],
    )
    id_of = {"ClientId": client["ClientId"]}
    new = {**id_of, "Username": "new", "Password": "Correct-Horse-1"}
    known = {"USERNAME": "ann", "PASSWORD": "Correct-Horse-1"}
    operation, members = {
        "sign up": ("SignUp", new | {"UserAttributes": listed(email="consulted@x.org")}),
        "confirm": ("ConfirmSignUp", {**id_of, "Username": "waiting", "ConfirmationCode": code}),
        "sign in": ("InitiateAuth", {**id_of, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": known}),
        "be challenged": ("InitiateAuth", {**id_of, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": "ann"}}),
    }[step]
    code, text = refusal(call, operation, **members)
    assert code == "UnexpectedLambdaException"
    assert text.startswith(f"{trigger} invocation failed due to error ")
    call("UpdateUserPool", UserPoolId=pool_id, AutoVerifiedAttributes=["email", "phone_number"])
    assert sign_in(call, client, "ann")
