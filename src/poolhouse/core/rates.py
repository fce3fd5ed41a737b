"""Request rates: the categories of operations, their free limits, and the arithmetic of a shared budget.

Spec: api/09 §1, api/10 §8; docs/decisions/0008-rate-limits.md says why it is done in this way.
"""

from enum import StrEnum
from typing import NamedTuple

from poolhouse.core.sign_in import REFRESH_FLOWS
from poolhouse.model import AuthFlowType


class Category(StrEnum):
    """What requests are counted as, each for an account and Region."""

    USER_AUTHENTICATION = "UserAuthentication"
    USER_CREATION = "UserCreation"
    USER_FEDERATION = "UserFederation"
    USER_ACCOUNT_RECOVERY = "UserAccountRecovery"
    USER_READ = "UserRead"
    USER_UPDATE = "UserUpdate"
    USER_TOKEN = "UserToken"
    USER_RESOURCE_READ = "UserResourceRead"
    USER_RESOURCE_UPDATE = "UserResourceUpdate"
    USER_LIST = "UserList"
    USER_POOL_READ = "UserPoolRead"
    USER_POOL_UPDATE = "UserPoolUpdate"
    USER_POOL_RESOURCE_READ = "UserPoolResourceRead"
    USER_POOL_RESOURCE_UPDATE = "UserPoolResourceUpdate"
    USER_POOL_CLIENT_READ = "UserPoolClientRead"
    USER_POOL_CLIENT_UPDATE = "UserPoolClientUpdate"
    CLIENT_AUTHENTICATION = "ClientAuthentication"


# Requests per second that Cognito gives for nothing.
FREE: dict[Category, int] = {
    Category.USER_AUTHENTICATION: 120,
    Category.USER_CREATION: 50,
    Category.USER_FEDERATION: 25,
    Category.USER_ACCOUNT_RECOVERY: 30,
    Category.USER_READ: 120,
    Category.USER_UPDATE: 25,
    Category.USER_TOKEN: 120,
    Category.USER_RESOURCE_READ: 50,
    Category.USER_RESOURCE_UPDATE: 25,
    Category.USER_LIST: 30,
    Category.USER_POOL_READ: 15,
    Category.USER_POOL_UPDATE: 15,
    Category.USER_POOL_RESOURCE_READ: 20,
    Category.USER_POOL_RESOURCE_UPDATE: 15,
    Category.USER_POOL_CLIENT_READ: 15,
    Category.USER_POOL_CLIENT_UPDATE: 15,
    Category.CLIENT_AUTHENTICATION: 150,
}
# The account's maximum, here the same for every category: more than one installation answers.
MAXIMUM = 100_000

_OPERATIONS: dict[Category, str] = {
    Category.USER_AUTHENTICATION: "AdminInitiateAuth AdminRespondToAuthChallenge InitiateAuth RespondToAuthChallenge",
    Category.USER_CREATION: "AdminConfirmSignUp AdminCreateUser ConfirmSignUp SignUp",
    Category.USER_ACCOUNT_RECOVERY: "AdminResetUserPassword AdminSetUserPassword ChangePassword ConfirmForgotPassword ForgotPassword",
    Category.USER_READ: "AdminGetUser GetUser",
    Category.USER_UPDATE: (
        "AdminAddUserToGroup AdminDeleteUser AdminDeleteUserAttributes AdminDisableProviderForUser "
        "AdminDisableUser AdminEnableUser AdminLinkProviderForUser AdminRemoveUserFromGroup "
        "AdminUpdateUserAttributes AdminUserGlobalSignOut DeleteUser DeleteUserAttributes GlobalSignOut "
        "UpdateUserAttributes VerifyUserAttribute"
    ),
    Category.USER_TOKEN: "GetDerivedToken GetTokensFromRefreshToken RevokeToken",
    Category.USER_RESOURCE_READ: (
        "AdminGetDevice AdminGetUserAuthFactors AdminListDevices AdminListGroupsForUser "
        "AdminListUserAuthEvents AdminListUserSessions GetDevice GetUserAttributeVerificationCode "
        "GetUserAuthFactors ListDevices ListUserSessions ListWebAuthnCredentials ResendConfirmationCode"
    ),
    Category.USER_RESOURCE_UPDATE: (
        "AdminDeleteSoftwareToken AdminForgetDevice AdminRevokeUserSession AdminSetUserMFAPreference "
        "AdminSetUserSettings AdminUpdateAuthEventFeedback AdminUpdateDeviceStatus AssociateSoftwareToken "
        "CompleteWebAuthnRegistration ConfirmDevice DeleteWebAuthnCredential ForgetDevice RevokeUserSession "
        "SetUserMFAPreference SetUserSettings StartWebAuthnRegistration UpdateAuthEventFeedback "
        "UpdateDeviceStatus VerifySoftwareToken"
    ),
    Category.USER_LIST: "ListUsers ListUsersInGroup",
    Category.USER_POOL_READ: "DescribeUserPool ListUserPools",
    Category.USER_POOL_UPDATE: (
        "CreateUserPool CreateUserPoolReplica DeleteUserPool DeleteUserPoolReplica UpdateUserPool UpdateUserPoolReplica"
    ),
    Category.USER_POOL_RESOURCE_READ: (
        "DescribeIdentityProvider DescribeManagedLoginBranding DescribeManagedLoginBrandingByClient "
        "DescribeResourceServer DescribeRiskConfiguration DescribeTerms DescribeTermsByClient "
        "DescribeUserImportJob DescribeUserPoolDomain GetCSVHeader GetGroup GetIdentityProviderByIdentifier "
        "GetLogDeliveryConfiguration GetSigningCertificate GetUICustomization GetUserPoolMfaConfig "
        "GetUserPoolSessionConfiguration ListGroups ListIdentityProviders ListResourceServers "
        "ListTagsForResource ListTerms ListUserImportJobs ListUserPoolReplicas"
    ),
    Category.USER_POOL_RESOURCE_UPDATE: (
        "AddCustomAttributes CreateGroup CreateIdentityProvider CreateManagedLoginBranding "
        "CreateResourceServer CreateTerms CreateUserImportJob CreateUserPoolDomain DeleteGroup "
        "DeleteIdentityProvider DeleteManagedLoginBranding DeleteResourceServer DeleteTerms "
        "DeleteUserPoolDomain SetLogDeliveryConfiguration SetRiskConfiguration SetUICustomization "
        "SetUserPoolMfaConfig SetUserPoolSessionConfiguration StartUserImportJob StopUserImportJob "
        "TagResource UntagResource UpdateGroup UpdateIdentityProvider UpdateManagedLoginBranding "
        "UpdateResourceServer UpdateTerms UpdateUserPoolDomain"
    ),
    Category.USER_POOL_CLIENT_READ: (
        "DescribeUserPoolClient GetUserPoolClientSessionConfiguration ListUserPoolClientSecrets ListUserPoolClients"
    ),
    Category.USER_POOL_CLIENT_UPDATE: (
        "AddUserPoolClientSecret CreateUserPoolClient DeleteUserPoolClient DeleteUserPoolClientSecret "
        "SetUserPoolClientSessionConfiguration UpdateUserPoolClient"
    ),
    Category.CLIENT_AUTHENTICATION: "GetClientToken",
}
CATEGORY_OF: dict[str, Category] = {name: category for category, names in _OPERATIONS.items() for name in names.split()}
CHALLENGE_OPERATIONS = frozenset({"RespondToAuthChallenge", "AdminRespondToAuthChallenge"})
# Answers to challenges have a budget of their own, so many times the category's; what exceeds it spills over.
CHALLENGES_PER_SIGN_IN = 3

SECOND = 1_000_000_000
# Of a second's budget, the greatest part that one process takes at a time.
SHARES = 20
# A shared clock that is so far ahead (nanoseconds) was set back: nobody waits for it.
IMPOSSIBLE = 5 * SECOND


class Use(NamedTuple):
    """What a request uses up. ``challenge`` is true for an answer to a challenge."""

    category: Category
    challenge: bool = False


SIGN_IN = Use(Category.USER_AUTHENTICATION)
CHALLENGE = Use(Category.USER_AUTHENTICATION, challenge=True)


def find_use(operation: str, flow: AuthFlowType | None) -> Use | None:
    """Return what a call of an operation uses; None where it is not counted. ``flow`` is the one of InitiateAuth."""
    if flow in REFRESH_FLOWS:
        return Use(Category.USER_TOKEN)
    category = CATEGORY_OF.get(operation)
    return None if category is None else Use(category, operation in CHALLENGE_OPERATIONS)


class Grant(NamedTuple):
    """Requests that may be answered now, and up to when (nanoseconds) the budget is spent then."""

    requests: int
    spent_until: int


def grant(spent_until: int, now: int, rate: int, wanted: int) -> Grant:
    """Take up to ``wanted`` requests out of a budget of ``rate`` per second; times are nanoseconds.

    The generic cell rate algorithm (ITU-T I.371) with a burst of one second: each request moves the time up to which
    the budget is spent by one interval, and that time is at most a second ahead.
    """
    start = now if spent_until < now or spent_until > now + SECOND + IMPOSSIBLE else spent_until
    room = max(0, now + SECOND - start)
    granted = min(wanted, room * rate // SECOND)
    return Grant(granted, start + granted * SECOND // rate)


def next_share(rate: int, share: int, used: int) -> int:
    """Return how many requests to take next time, after ``used`` of a ``share`` were used before it lapsed."""
    largest = max(1, rate // SHARES)
    return min(largest, max(1, share * 2 if used >= share else used))
