"""How declared errors are reached by all operations of a kind.

Each rule gives a request that must be refused with the error; the world is made ready for that on the way.
"""

from collections.abc import Callable
from typing import Any

from poolhouse.model import OPERATIONS, Access
from tests.conftest import PASSWORD
from tests.matrix.model import input_of
from tests.matrix.world import CASES, World
from tests.operations.talk import listed

Request = dict[str, Any]
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


def with_triggers(operation: str, world: World, function: str = FUNCTION) -> Request:
    """A function for whatever step the request takes, one that cannot be run where nothing else is said."""
    request = valid(operation, world)
    if "UserAttributes" in request and operation not in {"SignUp", "AdminCreateUser"}:
        request["UserAttributes"] = listed(email=f"{world.new('other')}@matrix.example")
    settings = {"AutoVerifiedAttributes": ["email"], "LambdaConfig": dict.fromkeys(TRIGGERS, function)}
    world.call("UpdateUserPool", **world.pool, **settings)
    return request


def with_triggers_that_refuse(operation: str, world: World) -> Request:
    def refuse(event: Any, context: Any) -> Any:
        raise ValueError("refused")

    return with_triggers(operation, world, world.functions.add(refuse))


def with_triggers_that_answer_nothing(operation: str, world: World) -> Request:
    return with_triggers(operation, world, world.functions.add(lambda event, context: None))


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
    ("UnexpectedLambdaException", lambda name: True, with_triggers),
    ("UserLambdaValidationException", lambda name: True, with_triggers_that_refuse),
    ("InvalidLambdaResponseException", lambda name: True, with_triggers_that_answer_nothing),
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
    ("PasswordHistoryPolicyViolationException", lambda name: True, with_a_used_password),
]
