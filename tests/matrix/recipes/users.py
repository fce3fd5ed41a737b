"""Users: signing up and in, passwords, codes, tokens (spec/api/03, 04, 11)."""

from tests.conftest import PASSWORD
from tests.matrix.recipes import Request, again, for_each, otherwise, recipe
from tests.matrix.rules import by_somebody_deleted, valid
from tests.matrix.world import World
from tests.operations.talk import OTHER_PASSWORD, listed, other

BEGIN = ("InitiateAuth", "AdminInitiateAuth")
ANSWER = ("RespondToAuthChallenge", "AdminRespondToAuthChallenge")


# Signing in


def signing_in(operation: str, world: World, name: str, password: str = PASSWORD) -> Request:
    return valid(operation, world) | {"AuthParameters": {"USERNAME": name, "PASSWORD": password}}


def reset_name(world: World) -> str:
    world.call("AdminResetUserPassword", **world.user)
    return world.username


for_each(BEGIN, "NotAuthorizedException", lambda name, world: signing_in(name, world, world.username, OTHER_PASSWORD))
for_each(BEGIN, "UserNotFoundException", lambda name, world: signing_in(name, world, "nobody"))
for_each(BEGIN, "UserNotConfirmedException", lambda name, world: signing_in(name, world, world.signed_up()[0]))
for_each(BEGIN, "PasswordResetRequiredException", lambda name, world: signing_in(name, world, reset_name(world)))


def answering(operation: str, world: World, **responses: str) -> Request:
    """An answer to the challenge NEW_PASSWORD_REQUIRED, with other responses."""
    request = valid(operation, world)
    return request | {"ChallengeResponses": request["ChallengeResponses"] | responses}


for_each(ANSWER, "InvalidPasswordException", lambda name, world: answering(name, world, NEW_PASSWORD="short"))
for operation in ANSWER:
    again(operation, "NotAuthorizedException")


# Users and their states

otherwise("SignUp", "InvalidPasswordException", Password="short")
otherwise("AdminCreateUser", "InvalidPasswordException", TemporaryPassword="short")
otherwise("AdminSetUserPassword", "InvalidPasswordException", Password="short")
otherwise("ChangePassword", "InvalidPasswordException", ProposedPassword="short")
otherwise("ConfirmForgotPassword", "InvalidPasswordException", Password="short")
otherwise("AdminCreateUser", "UserNotFoundException", MessageAction="RESEND")
recipe("AdminCreateUser", "UsernameExistsException")(lambda world: world.user)
recipe("AdminCreateUser", "UnsupportedUserStateException")(lambda world: world.user | {"MessageAction": "RESEND"})
recipe("AdminConfirmSignUp", "NotAuthorizedException")(lambda world: world.user)


@recipe("SignUp", "UsernameExistsException")
def _(world: World) -> Request:
    return {"ClientId": world.client_id, "Username": world.username, "Password": PASSWORD}


@recipe("AdminResetUserPassword", "NotAuthorizedException")
def _(world: World) -> Request:
    return world.pool | {"Username": world.new_user(permanent=False)}


def preferring_a_taken_name(operation: str, world: World) -> Request:
    """One user takes the preferred name of another, where that is an alias."""
    world.pool_id = world.new_pool(AliasAttributes=["preferred_username"])
    taken = listed(preferred_username="taken")
    owner = world.new_user()
    world.call("AdminUpdateUserAttributes", **world.pool, Username=owner, UserAttributes=taken)
    request = valid(operation, world)
    if operation in ANSWER:
        request["ChallengeResponses"] |= {"userAttributes.preferred_username": "taken"}
        return request
    return request | {"UserAttributes": taken}


for_each(ANSWER, "AliasExistsException", preferring_a_taken_name)
for_each(("UpdateUserAttributes", "AdminUpdateUserAttributes"), "AliasExistsException", preferring_a_taken_name)


# Codes

CODES = {
    "ConfirmSignUp": "ConfirmationCode",
    "ConfirmForgotPassword": "ConfirmationCode",
    "VerifyUserAttribute": "Code",
}


def with_a_wrong_code(operation: str, world: World) -> Request:
    request = valid(operation, world)
    return request | {CODES[operation]: other(request[CODES[operation]])}


def with_a_late_code(operation: str, world: World) -> Request:
    request = valid(operation, world)
    world.server.clock.advance(86_400 + 60)
    return request


for_each(tuple(CODES), "CodeMismatchException", with_a_wrong_code)
for_each(("ConfirmSignUp", "ConfirmForgotPassword"), "ExpiredCodeException", with_a_late_code)


# Tokens

otherwise("RevokeToken", "UnauthorizedException", ClientId="nosuchclient")
otherwise("GetTokensFromRefreshToken", "NotAuthorizedException", RefreshToken="not.a.token")
otherwise("UpdateAuthEventFeedback", "NotAuthorizedException", FeedbackToken="not-a-token")
for_each(
    ("GetTokensFromRefreshToken", "GetDerivedToken", "UpdateAuthEventFeedback"),
    "UserNotFoundException",
    by_somebody_deleted,
)


@recipe("RevokeToken", "UnsupportedTokenTypeException")
def _(world: World) -> Request:
    return valid("RevokeToken", world) | {"Token": world.tokens["AccessToken"]}


@recipe("RevokeToken", "UnsupportedOperationException")
def _(world: World) -> Request:
    request = valid("RevokeToken", world)
    world.call("UpdateUserPoolClient", **world.client_of_pool, EnableTokenRevocation=False)
    return request


ROTATING = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}


def rotate(world: World) -> str:
    """Have the client's tokens rotate; give a refresh token."""
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    world.call("UpdateUserPoolClient", **world.client_of_pool, ExplicitAuthFlows=flows, RefreshTokenRotation=ROTATING)
    return world.sign_in()["RefreshToken"]


@recipe("GetTokensFromRefreshToken", "RefreshTokenReuseException")
def _(world: World) -> Request:
    request = {"ClientId": world.client_id, "RefreshToken": rotate(world)}
    world.call("GetTokensFromRefreshToken", **request)
    return request


def refreshing(operation: str, world: World) -> Request:
    parameters = {"REFRESH_TOKEN": rotate(world)}
    return valid(operation, world) | {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters}


for_each(BEGIN, "UnsupportedOperationException", refreshing)
