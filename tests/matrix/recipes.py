"""How a declared error is reached: by a rule for all operations of a kind, or for one operation alone.

Each recipe gives a request that must be refused with the error; the world is made ready for that on the way.
"""

from collections.abc import Callable
from typing import Any

from poolhouse.model import OPERATIONS, Access
from poolhouse.storage import counts
from tests.authenticator import Authenticator
from tests.conftest import PASSWORD
from tests.matrix.cases.factors import PREFERRED, RELYING, code, verified_token
from tests.matrix.cases.upkeep import LOGS
from tests.matrix.model import input_of
from tests.matrix.world import CASES, World
from tests.operations.talk import OTHER_PASSWORD, listed, other

Request = dict[str, Any]
Recipe = Callable[[World], Request]
NO_POOL = "us-east-1_AAAAAAAAA"
NO_ARN = f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{NO_POOL}"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:no-such-function"
TRIGGERS = [
    *("PreSignUp", "CustomMessage", "PostConfirmation", "PreAuthentication", "PostAuthentication"),
    "PreTokenGeneration",
]


def members(operation: str) -> set[str]:
    return set(input_of(operation).members)


def is_admin(operation: str) -> bool:
    return OPERATIONS[operation].access is Access.ADMIN


def takes_token(operation: str) -> bool:
    """Whether a user calls with an access token."""
    return "AccessToken" in members(operation)


def valid(operation: str, world: World) -> Request:
    """A valid request of an operation."""
    return next(CASES[operation](world))


# Rules

Rule = tuple[str, Callable[[str], bool], Callable[[str, World], Request]]


def in_no_pool(operation: str, world: World) -> Request:
    return valid(operation, world) | {"UserPoolId": NO_POOL}


def of_no_client(operation: str, world: World) -> Request:
    return valid(operation, world) | {"ClientId": "nosuchclient"}


def of_no_resource(operation: str, world: World) -> Request:
    return valid(operation, world) | {"ResourceArn": NO_ARN}


def about_nobody(operation: str, world: World) -> Request:
    return valid(operation, world) | {"Username": "nobody"}


def by_somebody_deleted(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.call("AdminDeleteUser", **world.user)
    return request


def by_token_of_nobody(operation: str, world: World) -> Request:
    return valid(operation, world) | {"AccessToken": "not.a.token"}


def without_proof(operation: str, world: World) -> Request:
    """A client with a secret, and no hash of it."""
    return valid(operation, world) | {"ClientId": world.confidential["ClientId"]}


def by_somebody_reset(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.call("AdminUpdateUserAttributes", **world.user, UserAttributes=listed(email_verified="true"))
    world.call("AdminResetUserPassword", **world.user)
    return request


def about_somebody_unconfirmed(operation: str, world: World) -> Request:
    name, _ = world.signed_up()
    return valid(operation, world) | {"Username": name}


def with_triggers(operation: str, world: World) -> Request:
    """Functions that cannot be run, for whatever step the request takes."""
    request = valid(operation, world)
    if "UserAttributes" in request and operation not in {"SignUp", "AdminCreateUser"}:
        request["UserAttributes"] = listed(email=f"{world.new('other')}@matrix.example")
    settings = {"AutoVerifiedAttributes": ["email"], "LambdaConfig": dict.fromkeys(TRIGGERS, FUNCTION)}
    world.call("UpdateUserPool", **world.pool, **settings)
    return request


def where_devices_are_forgotten(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.call("UpdateUserPool", **world.pool, AutoVerifiedAttributes=["email"])
    return request


def without_add_on(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.call("UpdateUserPool", **world.pool, AutoVerifiedAttributes=["email"])
    return request


def lite(operation: str, world: World) -> Request:
    return valid(operation, world) | {"UserPoolId": world.new_pool(UserPoolTier="LITE")}


def is_about_user(operation: str) -> bool:
    return "Username" in members(operation) and not takes_token(operation) and operation not in ASKED_OTHERWISE


# Their names are no members, or nobody of the name is no error: recipes of their own.
ASKED_OTHERWISE = {"AdminCreateUser", "UpdateAuthEventFeedback"}
RULES: list[Rule] = [
    ("ResourceNotFoundException", lambda name: is_admin(name) and "UserPoolId" in members(name), in_no_pool),
    (
        "ResourceNotFoundException",
        lambda name: not is_admin(name) and "ClientId" in members(name),
        of_no_client,
    ),
    ("ResourceNotFoundException", lambda name: "ResourceArn" in members(name), of_no_resource),
    ("UserNotFoundException", is_about_user, about_nobody),
    ("UserNotFoundException", takes_token, by_somebody_deleted),
    ("NotAuthorizedException", takes_token, by_token_of_nobody),
    ("NotAuthorizedException", lambda name: "SecretHash" in members(name), without_proof),
    ("PasswordResetRequiredException", takes_token, by_somebody_reset),
    (
        "UserNotConfirmedException",
        lambda name: name in {"AdminDeleteSoftwareToken", "AdminSetUserMFAPreference"},
        about_somebody_unconfirmed,
    ),
    ("UnexpectedLambdaException", lambda name: name != "GetDerivedToken", with_triggers),
    (
        "InvalidUserPoolConfigurationException",
        lambda name: "Device" in name,
        where_devices_are_forgotten,
    ),
    ("UserPoolAddOnNotEnabledException", lambda name: True, without_add_on),
    (
        "FeatureUnavailableInTierException",
        lambda name: name == "SetUserPoolSessionConfiguration",
        lite,
    ),
]

# Recipes for one operation

RECIPES: dict[tuple[str, str], Recipe] = {}


def recipe(operation: str, error: str) -> Callable[[Recipe], Recipe]:
    """Enter a recipe for an error of an operation."""

    def enter(function: Recipe) -> Recipe:
        assert (operation, error) not in RECIPES
        RECIPES[operation, error] = function
        return function

    return enter


def signing_in(operation: str, world: World, name: str, password: str = PASSWORD) -> Request:
    return valid(operation, world) | {"AuthParameters": {"USERNAME": name, "PASSWORD": password}}


def for_each_door(error: str, make: Callable[[str, World], Request]) -> None:
    """One recipe for both operations that begin a sign-in."""
    for operation in ("InitiateAuth", "AdminInitiateAuth"):
        recipe(operation, error)(lambda world, operation=operation: make(operation, world))


def reset_name(world: World) -> str:
    world.call("AdminResetUserPassword", **world.user)
    return world.username


for_each_door("NotAuthorizedException", lambda name, world: signing_in(name, world, world.username, OTHER_PASSWORD))
for_each_door("UserNotFoundException", lambda name, world: signing_in(name, world, "nobody"))
for_each_door("UserNotConfirmedException", lambda name, world: signing_in(name, world, world.signed_up()[0]))
for_each_door("PasswordResetRequiredException", lambda name, world: signing_in(name, world, reset_name(world)))


def answering(operation: str, world: World, **responses: str) -> Request:
    """An answer to the challenge NEW_PASSWORD_REQUIRED, with other responses."""
    request = valid(operation, world)
    return request | {"ChallengeResponses": request["ChallengeResponses"] | responses}


def answering_again(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.call(operation, **request)
    return request


for _name in ("RespondToAuthChallenge", "AdminRespondToAuthChallenge"):
    recipe(_name, "NotAuthorizedException")(lambda world, name=_name: answering_again(name, world))
    recipe(_name, "InvalidPasswordException")(lambda world, name=_name: answering(name, world, NEW_PASSWORD="short"))


@recipe("GetTokensFromRefreshToken", "NotAuthorizedException")
def _(world: World) -> Request:
    return {"ClientId": world.client_id, "RefreshToken": "not.a.token"}


@recipe("GetTokensFromRefreshToken", "UserNotFoundException")
def _(world: World) -> Request:
    return by_somebody_deleted("GetTokensFromRefreshToken", world)


@recipe("AdminConfirmSignUp", "NotAuthorizedException")
def _(world: World) -> Request:
    return world.user


@recipe("AdminResetUserPassword", "NotAuthorizedException")
def _(world: World) -> Request:
    return world.pool | {"Username": world.new_user(permanent=False)}


@recipe("AdminCreateUser", "UserNotFoundException")
def _(world: World) -> Request:
    return world.pool | {"Username": "nobody", "MessageAction": "RESEND"}


@recipe("AdminCreateUser", "UsernameExistsException")
def _(world: World) -> Request:
    return world.user


@recipe("AdminCreateUser", "UnsupportedUserStateException")
def _(world: World) -> Request:
    return world.user | {"MessageAction": "RESEND"}


@recipe("SignUp", "UsernameExistsException")
def _(world: World) -> Request:
    return {"ClientId": world.client_id, "Username": world.username, "Password": PASSWORD}


@recipe("AdminCreateUser", "InvalidPasswordException")
def _(world: World) -> Request:
    return valid("AdminCreateUser", world) | {"TemporaryPassword": "short"}


@recipe("SignUp", "InvalidPasswordException")
def _(world: World) -> Request:
    return valid("SignUp", world) | {"Password": "short"}


@recipe("AdminSetUserPassword", "InvalidPasswordException")
def _(world: World) -> Request:
    return world.user | {"Password": "short"}


@recipe("ChangePassword", "InvalidPasswordException")
def _(world: World) -> Request:
    return valid("ChangePassword", world) | {"ProposedPassword": "short"}


@recipe("ConfirmForgotPassword", "InvalidPasswordException")
def _(world: World) -> Request:
    return valid("ConfirmForgotPassword", world) | {"Password": "short"}


def with_a_wrong_code(operation: str, world: World, member: str) -> Request:
    request = valid(operation, world)
    return request | {member: other(request[member])}


def with_a_late_code(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.server.clock.advance(86_400 - 60 if operation == "VerifyUserAttribute" else 86_400 + 60)
    return request


for _name, _member in (
    ("ConfirmSignUp", "ConfirmationCode"),
    ("ConfirmForgotPassword", "ConfirmationCode"),
    ("VerifyUserAttribute", "Code"),
):
    recipe(_name, "CodeMismatchException")(
        lambda world, name=_name, member=_member: with_a_wrong_code(name, world, member)
    )
for _name in ("ConfirmSignUp", "ConfirmForgotPassword"):
    recipe(_name, "ExpiredCodeException")(lambda world, name=_name: with_a_late_code(name, world))


def with_a_used_password(operation: str, world: World) -> Request:
    """The password that the user has, in a pool that remembers passwords."""
    policies = {"PasswordPolicy": {"PasswordHistorySize": 3}}
    world.call("UpdateUserPool", **world.pool, AutoVerifiedAttributes=["email"], Policies=policies)
    request = valid(operation, world)
    for member in {"Password", "ProposedPassword"} & request.keys():
        request[member] = PASSWORD
    if "ChallengeResponses" in request:
        request["ChallengeResponses"] |= {"NEW_PASSWORD": PASSWORD}
    return request


RULES.append(("PasswordHistoryPolicyViolationException", lambda name: True, with_a_used_password))


def preferring_a_taken_name(operation: str, world: World) -> Request:
    """A user with a temporary password takes the preferred name of another user, where that is an alias."""
    world.pool_id = world.new_pool(AliasAttributes=["preferred_username"])
    taken = listed(preferred_username="taken")
    world.call("AdminUpdateUserAttributes", **world.user, UserAttributes=taken)
    request = valid(operation, world)
    if "ChallengeResponses" in request:
        request["ChallengeResponses"] |= {"userAttributes.preferred_username": "taken"}
        return request
    del world.username
    world.__dict__.pop("tokens", None)
    return valid(operation, world) | {"UserAttributes": taken}


for _name in (
    *("RespondToAuthChallenge", "AdminRespondToAuthChallenge"),
    *("UpdateUserAttributes", "AdminUpdateUserAttributes"),
):
    recipe(_name, "AliasExistsException")(lambda world, name=_name: preferring_a_taken_name(name, world))


# Limits of numbers, which counters are brought up to


def full(world: World, counter: str, number: int) -> None:
    """Have a pool or Region count more than it has."""
    world.server.write(lambda tx: counts.add(tx._connection, counter, number))


@recipe("CreateUserPoolClient", "LimitExceededException")
def _(world: World) -> Request:
    full(world, f"clients:{world.pool_id}", 1000)
    return valid("CreateUserPoolClient", world)


@recipe("CreateGroup", "LimitExceededException")
def _(world: World) -> Request:
    full(world, f"groups:{world.pool_id}", 10_000)
    return valid("CreateGroup", world)


@recipe("CreateIdentityProvider", "LimitExceededException")
def _(world: World) -> Request:
    full(world, f"identity_providers:{world.pool_id}", 300)
    return valid("CreateIdentityProvider", world)


@recipe("CreateResourceServer", "LimitExceededException")
def _(world: World) -> Request:
    full(world, f"resource_servers:{world.pool_id}", 25)
    return valid("CreateResourceServer", world)


@recipe("AddUserPoolClientSecret", "LimitExceededException")
def _(world: World) -> Request:
    request = valid("AddUserPoolClientSecret", world)
    world.call("AddUserPoolClientSecret", **request)
    return request


# Plans


@recipe("CreateUserPool", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    return {"PoolName": "p", "UserPoolTier": "ESSENTIALS", "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}


@recipe("UpdateUserPool", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    history = {"PasswordPolicy": {"PasswordHistorySize": 3}}
    return {"UserPoolId": world.new_pool(UserPoolTier="LITE"), "Policies": history}


CHOICE = {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}


@recipe("CreateUserPoolClient", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    return {"UserPoolId": world.new_pool(UserPoolTier="LITE"), "ClientName": "c", **CHOICE}


@recipe("UpdateUserPoolClient", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    ids = {"UserPoolId": world.new_pool(UserPoolTier="LITE")}
    made = world.call("CreateUserPoolClient", **ids, ClientName="c")["UserPoolClient"]
    return ids | {"ClientId": made["ClientId"], **CHOICE}


@recipe("CreateUserPoolDomain", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    return lite("CreateUserPoolDomain", world) | {"ManagedLoginVersion": 2}


@recipe("UpdateUserPoolDomain", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    ids = {"UserPoolId": world.new_pool(UserPoolTier="LITE"), "Domain": world.new("lite").lower()}
    world.call("CreateUserPoolDomain", **ids)
    return ids | {"ManagedLoginVersion": 2}


SENDER = {
    "EmailSendingAccount": "DEVELOPER",
    "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/from@x.org",
}


@recipe("SetUserPoolMfaConfig", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    pool = world.new_pool(UserPoolTier="LITE", EmailConfiguration=SENDER)
    return {"UserPoolId": pool, "MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": {"Message": "code {####}"}}


@recipe("CreateUserPoolReplica", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    key = valid("CreateUserPoolReplica", world)
    settings = world.call("DescribeUserPool", UserPoolId=key["UserPoolId"])["UserPool"]["KeyConfiguration"]
    return key | {"UserPoolId": world.new_pool(UserPoolTier="LITE", KeyConfiguration=settings)}


@recipe("SetLogDeliveryConfiguration", "FeatureUnavailableInTierException")
def _(world: World) -> Request:
    events = LOGS[0] | {"EventSource": "userAuthEvents", "LogLevel": "INFO"}
    return {"UserPoolId": world.new_pool(UserPoolTier="ESSENTIALS"), "LogConfigurations": [events]}


@recipe("UpdateAuthEventFeedback", "UserNotFoundException")
def _(world: World) -> Request:
    return by_somebody_deleted("UpdateAuthEventFeedback", world)


@recipe("UpdateAuthEventFeedback", "NotAuthorizedException")
def _(world: World) -> Request:
    return valid("UpdateAuthEventFeedback", world) | {"FeedbackToken": "not-a-token"}


@recipe("UpdateProvisionedLimit", "ServiceQuotaExceededException")
def _(world: World) -> Request:
    return valid("UpdateProvisionedLimit", world) | {"RequestedLimitValue": 2**31 - 1}


# What there is already, and what does not fit


@recipe("CreateGroup", "GroupExistsException")
def _(world: World) -> Request:
    return world.group


@recipe("CreateIdentityProvider", "DuplicateProviderException")
def _(world: World) -> Request:
    request = valid("CreateIdentityProvider", world)
    world.call("CreateIdentityProvider", **request)
    return request


@recipe("CreateManagedLoginBranding", "ManagedLoginBrandingExistsException")
def _(world: World) -> Request:
    request = valid("CreateManagedLoginBranding", world)
    world.call("CreateManagedLoginBranding", **request)
    return request


@recipe("CreateTerms", "TermsExistsException")
def _(world: World) -> Request:
    request = valid("CreateTerms", world)
    world.call("CreateTerms", **request)
    return request


@recipe("UpdateTerms", "TermsExistsException")
def _(world: World) -> Request:
    request = valid("UpdateTerms", world)
    other = valid("CreateTerms", world) | {"TermsName": "privacy-policy"}
    world.call("CreateTerms", **other)
    return request | {"TermsName": "privacy-policy"}


MACHINE = {
    "AllowedOAuthFlows": ["client_credentials", "code"],
    "AllowedOAuthScopes": ["openid"],
    "AllowedOAuthFlowsUserPoolClient": True,
}
UNKNOWN_SCOPE = MACHINE | {"AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["no/such"]}
for _name in ("CreateUserPoolClient", "UpdateUserPoolClient"):
    recipe(_name, "InvalidOAuthFlowException")(lambda world, name=_name: valid(name, world) | MACHINE)
    recipe(_name, "ScopeDoesNotExistException")(lambda world, name=_name: valid(name, world) | UNKNOWN_SCOPE)


@recipe("CreateUserPool", "UserPoolTaggingException")
def _(world: World) -> Request:
    return {"PoolName": "p", "UserPoolTags": {"aws:kind": "x"}}


@recipe("CreateUserPoolReplica", "UserPoolTaggingException")
def _(world: World) -> Request:
    return valid("CreateUserPoolReplica", world) | {"UserPoolTags": {"aws:kind": "x"}}


@recipe("ConfirmDevice", "DeviceKeyExistsException")
def _(world: World) -> Request:
    request = valid("ConfirmDevice", world)
    world.call("ConfirmDevice", **request)
    return request


@recipe("AdminLinkProviderForUser", "UserNotFoundException")
def _(world: World) -> Request:
    nobody = {"ProviderName": "Cognito", "ProviderAttributeValue": "nobody"}
    return valid("AdminLinkProviderForUser", world) | {"DestinationUser": nobody}


@recipe("AdminDisableProviderForUser", "UserNotFoundException")
def _(world: World) -> Request:
    nobody = {"ProviderName": "Cognito", "ProviderAttributeName": "Cognito_Subject"}
    return valid("AdminDisableProviderForUser", world) | {"User": nobody | {"ProviderAttributeValue": "nobody"}}


@recipe("UpdateUserPool", "UserPoolTaggingException")
def _(world: World) -> Request:
    return valid("UpdateUserPool", world) | {"UserPoolTags": {"aws:kind": "x"}}


# Tokens


@recipe("RevokeToken", "UnauthorizedException")
def _(world: World) -> Request:
    return valid("RevokeToken", world) | {"ClientId": "nosuchclient"}


@recipe("RevokeToken", "UnsupportedTokenTypeException")
def _(world: World) -> Request:
    return valid("RevokeToken", world) | {"Token": world.tokens["AccessToken"]}


@recipe("RevokeToken", "UnsupportedOperationException")
def _(world: World) -> Request:
    request = valid("RevokeToken", world)
    world.call("UpdateUserPoolClient", **world.client_of_pool, EnableTokenRevocation=False)
    return request


ROTATING = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}


def rotate(world: World) -> Request:
    """Have the client's tokens rotate; give a refresh token as a member."""
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    world.call("UpdateUserPoolClient", **world.client_of_pool, ExplicitAuthFlows=flows, RefreshTokenRotation=ROTATING)
    return {"ClientId": world.client_id, "RefreshToken": world.sign_in()["RefreshToken"]}


@recipe("GetTokensFromRefreshToken", "RefreshTokenReuseException")
def _(world: World) -> Request:
    request = rotate(world)
    world.call("GetTokensFromRefreshToken", **request)
    return request


def refreshing(operation: str, world: World) -> Request:
    request = valid(operation, world)
    parameters = {"REFRESH_TOKEN": rotate(world)["RefreshToken"]}
    return request | {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters}


for_each_door("UnsupportedOperationException", refreshing)


# Second factors and passkeys


@recipe("VerifySoftwareToken", "EnableSoftwareTokenMFAException")
def _(world: World) -> Request:
    return with_a_wrong_code("VerifySoftwareToken", world, "UserCode")


DOORS = {"RespondToAuthChallenge": "InitiateAuth", "AdminRespondToAuthChallenge": "AdminInitiateAuth"}


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


for _name in DOORS:
    recipe(_name, "CodeMismatchException")(lambda world, name=_name: showing(name, world, other))
    recipe(_name, "ExpiredCodeException")(lambda world, name=_name: showing_again(name, world))
    recipe(_name, "MFAMethodNotFoundException")(lambda world, name=_name: showing_what_is_gone(name, world))


def without_apps(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.call("SetUserPoolMfaConfig", **world.pool, MfaConfiguration="OFF")
    return request


for _name in ("AssociateSoftwareToken", "VerifySoftwareToken"):
    recipe(_name, "SoftwareTokenMFANotFoundException")(lambda world, name=_name: without_apps(name, world))


def without_passkeys(operation: str, world: World) -> Request:
    request = valid(operation, world)
    policy = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}
    world.call("UpdateUserPool", **world.pool, Policies=policy, AutoVerifiedAttributes=["email"])
    return request


for _name in ("StartWebAuthnRegistration", "CompleteWebAuthnRegistration"):
    recipe(_name, "WebAuthnNotEnabledException")(lambda world, name=_name: without_passkeys(name, world))


def registering(world: World, **made: Any) -> Request:
    """A new passkey that is made otherwise than was asked for."""
    valid("StartWebAuthnRegistration", world)
    options = world.call("StartWebAuthnRegistration", **world.access)["CredentialCreationOptions"]
    created = Authenticator().create(options, **{"origin": f"https://{RELYING}"} | made)
    return world.access | {"Credential": created}


@recipe("CompleteWebAuthnRegistration", "WebAuthnChallengeNotFoundException")
def _(world: World) -> Request:
    return registering(world, challenge="AAAAAAAAAAAAAAAAAAAAAA")


@recipe("CompleteWebAuthnRegistration", "WebAuthnRelyingPartyMismatchException")
def _(world: World) -> Request:
    return registering(world, rp_id="other.example")


@recipe("CompleteWebAuthnRegistration", "WebAuthnOriginNotAllowedException")
def _(world: World) -> Request:
    return registering(world, origin="https://other.example")


@recipe("CompleteWebAuthnRegistration", "WebAuthnCredentialNotSupportedException")
def _(world: World) -> Request:
    return registering(world, attestation={"format": "tree"})
