"""Second factors, passkeys, devices, links (spec/api/04 §8–10, 03 §10)."""

from collections.abc import Callable
from typing import Any

from tests.authenticator import Authenticator
from tests.matrix.cases.factors import PREFERRED, RELYING, code, verified_token
from tests.matrix.recipes import Request, again, for_each, otherwise, recipe
from tests.matrix.rules import valid
from tests.matrix.world import World
from tests.operations.talk import other

DOORS = {"RespondToAuthChallenge": "InitiateAuth", "AdminRespondToAuthChallenge": "AdminInitiateAuth"}


# Software tokens


def showing(operation: str, world: World, wanted: Callable[[str], str]) -> Request:
    """An answer to the challenge SOFTWARE_TOKEN_MFA: what is wanted of the right code."""
    if "secret" not in world.__dict__:
        world.secret = verified_token(world)
        world.call("SetUserMFAPreference", **world.access, **PREFERRED)
        # The code that verified the token counts no more.
        world.server.clock.advance(30)
    begun = valid(DOORS[operation], world)
    session = world.call(DOORS[operation], **begun)["Session"]
    del begun["AuthFlow"], begun["AuthParameters"]
    responses = {"USERNAME": world.username, "SOFTWARE_TOKEN_MFA_CODE": wanted(code(world, world.secret))}
    return begun | {"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": session, "ChallengeResponses": responses}


def showing_again(operation: str, world: World) -> Request:
    world.call(operation, **showing(operation, world, str))
    return showing(operation, world, str)


def showing_what_is_gone(operation: str, world: World) -> Request:
    request = showing(operation, world, str)
    world.call("AdminDeleteSoftwareToken", **world.user)
    return request


for_each(tuple(DOORS), "CodeMismatchException", lambda name, world: showing(name, world, other))
for_each(tuple(DOORS), "ExpiredCodeException", showing_again)
for_each(tuple(DOORS), "MFAMethodNotFoundException", showing_what_is_gone)


@recipe("VerifySoftwareToken", "EnableSoftwareTokenMFAException")
def _(world: World) -> Request:
    request = valid("VerifySoftwareToken", world)
    return request | {"UserCode": other(request["UserCode"])}


def without_apps(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.call("SetUserPoolMfaConfig", **world.pool, MfaConfiguration="OFF")
    return request


for_each(("AssociateSoftwareToken", "VerifySoftwareToken"), "SoftwareTokenMFANotFoundException", without_apps)


# Passkeys


def without_passkeys(operation: str, world: World) -> Request:
    request = valid(operation, world)
    policy = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}
    world.call("UpdateUserPool", **world.pool, Policies=policy, AutoVerifiedAttributes=["email"])
    return request


for_each(("StartWebAuthnRegistration", "CompleteWebAuthnRegistration"), "WebAuthnNotEnabledException", without_passkeys)


def registering(error: str, **made: Any) -> None:
    """A new passkey that is made otherwise than was asked for is refused."""

    def make(world: World) -> Request:
        valid("StartWebAuthnRegistration", world)
        options = world.call("StartWebAuthnRegistration", **world.access)["CredentialCreationOptions"]
        created = Authenticator().create(options, **{"origin": f"https://{RELYING}"} | made)
        return world.access | {"Credential": created}

    recipe("CompleteWebAuthnRegistration", error)(make)


registering("WebAuthnChallengeNotFoundException", challenge="AAAAAAAAAAAAAAAAAAAAAA")
registering("WebAuthnRelyingPartyMismatchException", rp_id="other.example")
registering("WebAuthnOriginNotAllowedException", origin="https://other.example")
registering("WebAuthnCredentialNotSupportedException", attestation={"format": "tree"})


# Devices and links

NOBODY = {"ProviderName": "Cognito", "ProviderAttributeValue": "nobody"}
again("ConfirmDevice", "DeviceKeyExistsException")
otherwise("AdminLinkProviderForUser", "UserNotFoundException", DestinationUser=NOBODY)
otherwise(
    "AdminDisableProviderForUser",
    "UserNotFoundException",
    User=NOBODY | {"ProviderAttributeName": "Cognito_Subject"},
)
