"""Pools, clients and what belongs to them: limits, plans, what there is already (spec/api/02, 05, 07, 08, 10)."""

from poolhouse.storage import counts
from tests.matrix.cases.upkeep import LOGS, job
from tests.matrix.recipes import Request, again, for_each, otherwise, recipe
from tests.matrix.rules import lite, valid
from tests.matrix.world import World

# Limits of numbers, which counters are brought up to

FULL = {
    "CreateUserPoolClient": ("clients", 1000),
    "CreateGroup": ("groups", 10_000),
    "CreateIdentityProvider": ("identity_providers", 300),
    "CreateResourceServer": ("resource_servers", 25),
}


def in_a_full_pool(operation: str, world: World) -> Request:
    what, number = FULL[operation]
    request = valid(operation, world)
    world.server.write(lambda tx: counts.add(tx._connection, f"{what}:{world.pool_id}", number))
    return request


for_each(tuple(FULL), "LimitExceededException", in_a_full_pool)
again("AddUserPoolClientSecret", "LimitExceededException")
otherwise("UpdateProvisionedLimit", "ServiceQuotaExceededException", RequestedLimitValue=2**31 - 1)


# Plans

TIER = "FeatureUnavailableInTierException"
CHOICE = {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
SENDER = {
    "EmailSendingAccount": "DEVELOPER",
    "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/from@x.org",
}
otherwise("CreateUserPool", TIER, UserPoolTier="ESSENTIALS", UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"})
recipe("CreateUserPoolClient", TIER)(lambda world: lite("CreateUserPoolClient", world) | CHOICE)
recipe("CreateUserPoolDomain", TIER)(lambda world: lite("CreateUserPoolDomain", world) | {"ManagedLoginVersion": 2})


@recipe("UpdateUserPool", TIER)
def _(world: World) -> Request:
    history = {"PasswordPolicy": {"PasswordHistorySize": 3}}
    return {"UserPoolId": world.new_pool(UserPoolTier="LITE"), "Policies": history}


def lite_client(world: World) -> Request:
    """A client of a pool that has the smallest plan, as members of a request."""
    ids = {"UserPoolId": world.new_pool(UserPoolTier="LITE")}
    return ids | {"ClientId": world.call("CreateUserPoolClient", **ids, ClientName="c")["UserPoolClient"]["ClientId"]}


def choosing(operation: str, world: World) -> Request:
    """A choice-based sign-in in a pool that has the smallest plan."""
    ids = lite_client(world)
    named = ids if operation.startswith("Admin") else {"ClientId": ids["ClientId"]}
    return named | {"AuthFlow": "USER_AUTH", "AuthParameters": {"USERNAME": "ann"}}


for_each(("InitiateAuth", "AdminInitiateAuth"), TIER, choosing)


@recipe("UpdateUserPoolClient", TIER)
def _(world: World) -> Request:
    return lite_client(world) | CHOICE


@recipe("SetUserPoolClientSessionConfiguration", TIER)
def _(world: World) -> Request:
    return valid("SetUserPoolClientSessionConfiguration", world) | lite_client(world)


@recipe("UpdateUserPoolDomain", TIER)
def _(world: World) -> Request:
    ids = {"UserPoolId": world.new_pool(UserPoolTier="LITE"), "Domain": world.new("lite")}
    world.call("CreateUserPoolDomain", **ids)
    return ids | {"ManagedLoginVersion": 2}


@recipe("SetUserPoolMfaConfig", TIER)
def _(world: World) -> Request:
    pool = world.new_pool(UserPoolTier="LITE", EmailConfiguration=SENDER)
    return {"UserPoolId": pool, "MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": {"Message": "code {####}"}}


@recipe("CreateUserPoolReplica", TIER)
def _(world: World) -> Request:
    request = valid("CreateUserPoolReplica", world)
    key = world.call("DescribeUserPool", UserPoolId=request["UserPoolId"])["UserPool"]["KeyConfiguration"]
    return request | {"UserPoolId": world.new_pool(UserPoolTier="LITE", KeyConfiguration=key)}


@recipe("SetLogDeliveryConfiguration", TIER)
def _(world: World) -> Request:
    events = LOGS[0] | {"EventSource": "userAuthEvents", "LogLevel": "INFO"}
    return {"UserPoolId": world.new_pool(UserPoolTier="ESSENTIALS"), "LogConfigurations": [events]}


# What there is already, and what does not fit

recipe("CreateGroup", "GroupExistsException")(lambda world: world.group)
again("CreateIdentityProvider", "DuplicateProviderException")
again("CreateManagedLoginBranding", "ManagedLoginBrandingExistsException")
again("CreateTerms", "TermsExistsException")


@recipe("UpdateTerms", "TermsExistsException")
def _(world: World) -> Request:
    request = valid("UpdateTerms", world)
    other = valid("CreateTerms", world) | {"TermsName": "privacy-policy"}
    world.call("CreateTerms", **other)
    return request | {"TermsName": "privacy-policy"}


BOTH_FLOWS = {
    "AllowedOAuthFlows": ["client_credentials", "code"],
    "AllowedOAuthScopes": ["openid"],
    "AllowedOAuthFlowsUserPoolClient": True,
}
UNKNOWN_SCOPE = BOTH_FLOWS | {"AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["no/such"]}
for operation in ("CreateUserPoolClient", "UpdateUserPoolClient"):
    otherwise(operation, "InvalidOAuthFlowException", **BOTH_FLOWS)
    otherwise(operation, "ScopeDoesNotExistException", **UNKNOWN_SCOPE)
for operation in ("CreateUserPool", "UpdateUserPool", "CreateUserPoolReplica"):
    otherwise(operation, "UserPoolTaggingException", UserPoolTags={"aws:kind": "x"})


# Imports


@recipe("CreateUserImportJob", "PreconditionNotMetException")
def _(world: World) -> Request:
    return valid("CreateUserImportJob", world) | {"UserPoolId": world.new_pool()}


recipe("StartUserImportJob", "PreconditionNotMetException")(job)
recipe("StopUserImportJob", "PreconditionNotMetException")(job)
