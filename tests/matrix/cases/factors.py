"""Second factors and passkeys (spec/api/04 §9–10, 10 §2)."""

import base64

from tests.authenticator import Authenticator, one_time_code
from tests.matrix.world import SMS, case
from tests.operations.talk import listed

# Software tokens (04 §9)


def optional_factors(world) -> None:
    """Let users have second factors: an app, or text messages."""
    factors = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "SmsMfaConfiguration": {"SmsConfiguration": SMS}}
    world.call("SetUserPoolMfaConfig", **world.pool, MfaConfiguration="OPTIONAL", **factors)


def code(world, secret: str) -> str:
    """What an app shows now."""
    return one_time_code(secret, world.server.clock.now() / 1000)


def verified_token(world) -> str:
    """Give the user a software token that was verified; its secret."""
    optional_factors(world)
    secret = world.call("AssociateSoftwareToken", **world.access)["SecretCode"]
    world.call("VerifySoftwareToken", **world.access, UserCode=code(world, secret))
    return secret


def by_telephone(world) -> None:
    """Give the user a telephone that may be a second factor."""
    optional_factors(world)
    world.call("AdminUpdateUserAttributes", **world.user, UserAttributes=listed(phone_number="+12025550123"))


PREFERRED = {"SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True}}
BY_TEXT = {"MFAOptions": [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]}


@case
def associate_software_token(world):
    """04 §9"""
    optional_factors(world)
    answer = yield world.access
    assert len(base64.b32decode(answer["SecretCode"] + "=" * (-len(answer["SecretCode"]) % 8))) >= 16


@case
def verify_software_token(world):
    """04 §9"""
    optional_factors(world)
    secret = world.call("AssociateSoftwareToken", **world.access)["SecretCode"]
    answer = yield world.access | {"UserCode": code(world, secret)}
    assert answer["Status"] == "SUCCESS"


@case
def set_user_mfa_preference(world):
    """04 §9"""
    verified_token(world)
    yield world.access | PREFERRED
    assert world.shown()["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


@case
def admin_set_user_mfa_preference(world):
    """04 §9"""
    verified_token(world)
    yield world.user | PREFERRED
    assert world.shown()["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]


@case
def admin_delete_software_token(world):
    """10 §2"""
    verified_token(world)
    world.call("AdminSetUserMFAPreference", **world.user, **PREFERRED)
    yield world.user
    assert "UserMFASettingList" not in world.shown()


@case
def set_user_settings(world):
    """04 §9"""
    by_telephone(world)
    yield world.access | BY_TEXT
    assert world.shown()["MFAOptions"] == BY_TEXT["MFAOptions"]


@case
def admin_set_user_settings(world):
    """04 §9"""
    by_telephone(world)
    yield world.user | BY_TEXT
    assert world.shown()["MFAOptions"] == BY_TEXT["MFAOptions"]


@case
def get_user_auth_factors(world):
    """04 §10"""
    answer = yield world.access
    assert answer["Username"] == world.username
    assert "PASSWORD" in answer["ConfiguredUserAuthFactors"]


@case
def admin_get_user_auth_factors(world):
    """10 §2"""
    answer = yield world.user
    assert answer["Username"] == world.username
    assert "PASSWORD" in answer["ConfiguredUserAuthFactors"]


# Passkeys (04 §10)

RELYING = "matrix.example"


def passkeys(world) -> None:
    """Allow passkeys as a first factor."""
    policy = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}
    world.call("UpdateUserPool", **world.pool, Policies=policy, AutoVerifiedAttributes=["email"])
    world.call("SetUserPoolMfaConfig", **world.pool, WebAuthnConfiguration={"RelyingPartyId": RELYING})


def passkey(world) -> str:
    """Register a passkey; give its id."""
    passkeys(world)
    options = world.call("StartWebAuthnRegistration", **world.access)["CredentialCreationOptions"]
    made = Authenticator().create(options, origin=f"https://{RELYING}")
    world.call("CompleteWebAuthnRegistration", **world.access, Credential=made)
    return made["id"]


@case
def start_web_authn_registration(world):
    """04 §10"""
    passkeys(world)
    answer = yield world.access
    assert answer["CredentialCreationOptions"]["rp"]["id"] == RELYING


@case
def complete_web_authn_registration(world):
    """04 §10"""
    passkeys(world)
    options = world.call("StartWebAuthnRegistration", **world.access)["CredentialCreationOptions"]
    made = Authenticator().create(options, origin=f"https://{RELYING}")
    yield world.access | {"Credential": made}
    assert world.names("ListWebAuthnCredentials", "Credentials", "CredentialId", **world.access) == [made["id"]]


@case
def list_web_authn_credentials(world):
    """04 §10"""
    answer = yield world.access | {"MaxResults": 20}
    assert answer["Credentials"] == []


@case
def delete_web_authn_credential(world):
    """04 §10"""
    yield world.access | {"CredentialId": passkey(world)}
    assert world.call("ListWebAuthnCredentials", **world.access)["Credentials"] == []
