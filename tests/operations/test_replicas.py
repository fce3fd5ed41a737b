"""Replicas of user pools over the wire (spec/api/10 §3). The server stands in us-east-1."""

import itertools
import time

import httpx
import pytest
from botocore.exceptions import ClientError

from poolhouse.flows.upkeep import look_after
from tests.conftest import PASSWORD
from tests.operations.refusals import refused

HOME, AWAY, THIRD = "eu-south-2", "us-east-1", "me-central-1"
KEY = {
    "KeyType": "CUSTOMER_MANAGED_KEY",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef",
}
CREATE, UPDATE, DELETE = "CreateUserPoolReplica", "UpdateUserPoolReplica", "DeleteUserPoolReplica"
NOT_ENABLED = "OperationNotEnabledException"
MISSING = "ResourceNotFoundException"
_numbers = itertools.count()


class Region:
    """Calls that are signed for one Region."""

    def __init__(self, server, name):
        self.client = server.boto(region_name=name)

    def __call__(self, operation, **members):
        answer = self.client._make_api_call(operation, members)
        answer.pop("ResponseMetadata")
        return answer


@pytest.fixture
def home(server):
    return Region(server, HOME)


@pytest.fixture
def away(server):
    return Region(server, AWAY)


@pytest.fixture
def settle(server):
    """Do now what the background does within a second."""
    return lambda: server.run(look_after(server.deps))


@pytest.fixture
def replicated(home, settle):
    """Make a pool at home with a replica away; give its id."""

    def make(status="ACTIVE", **settings):
        members = {"PoolName": f"replicated-{next(_numbers)}", "KeyConfiguration": KEY} | settings
        pool_id = home("CreateUserPool", **members)["UserPool"]["Id"]
        home(CREATE, UserPoolId=pool_id, RegionName=AWAY, UserPoolTags={"at": "away"})
        settle()
        if status == "ACTIVE":
            home(UPDATE, UserPoolId=pool_id, RegionName=AWAY, Status="ACTIVE")
        return pool_id

    return make


@pytest.fixture
def client_of(home):
    """Make a client and a user of a pool; give their names."""

    def make(pool_id, permanent=True):
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        made = home("CreateUserPoolClient", UserPoolId=pool_id, ClientName="web", ExplicitAuthFlows=flows)
        ann = {"UserPoolId": pool_id, "Username": "ann"}
        home("AdminCreateUser", **ann, MessageAction="SUPPRESS")
        home("AdminSetUserPassword", **ann, Password=PASSWORD, Permanent=permanent)
        return made["UserPoolClient"]["ClientId"]

    return make


def statuses(region, pool_id):
    listed = region("ListUserPoolReplicas", UserPoolId=pool_id)["UserPoolReplicas"]
    return [(each["RegionName"], each["Role"], each["Status"]) for each in listed]


def by_password(client_id):
    given = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    return {"ClientId": client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given}


def test_a_replica_is_made_opened_closed_and_deleted(home, away, settle, replicated):
    """CREATING → INACTIVE → ACTIVE → INACTIVE → DELETING → gone, as the primary and the replica see it."""
    pool_id = replicated(status=None)
    arn = f"arn:aws:cognito-idp:{AWAY}:000000000000:userpool/{pool_id}"
    first = [(HOME, "PRIMARY", "ACTIVE"), (AWAY, "SECONDARY", "INACTIVE")]
    assert statuses(home, pool_id) == statuses(away, pool_id) == first
    for region, status in ((home, "ACTIVE"), (away, "INACTIVE"), (away, "INACTIVE"), (home, "INACTIVE")):
        changed = region(UPDATE, UserPoolId=pool_id, RegionName=AWAY, Status=status)["UserPoolReplica"]
        assert changed == {"RegionName": AWAY, "Status": status, "Role": "SECONDARY", "UserPoolArn": arn}
        assert statuses(home, pool_id)[1] == (AWAY, "SECONDARY", status)
    gone = home(DELETE, UserPoolId=pool_id, RegionName=AWAY)["UserPoolReplica"]
    assert gone["Status"] == "DELETING"
    settle()
    assert statuses(home, pool_id) == [(HOME, "PRIMARY", "ACTIVE")]
    refused(away, MISSING, "DescribeUserPool", UserPoolId=pool_id)


def test_the_background_ends_the_making(home, settle):
    """Without anybody's doing a replica is INACTIVE within seconds."""
    pool_id = home("CreateUserPool", PoolName="own", KeyConfiguration=KEY)["UserPool"]["Id"]
    made = home(CREATE, UserPoolId=pool_id, RegionName=THIRD)["UserPoolReplica"]
    assert (made["Status"], made["Role"]) == ("CREATING", "SECONDARY")
    deadline = time.monotonic() + 20
    while statuses(home, pool_id)[1][2] != "INACTIVE":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_replicas_need_a_key_of_several_regions(home, call):
    """Without KeyConfiguration, with the service's own key, or one of a single Region, there is no replica."""
    single = KEY | {"KmsKeyArn": KEY["KmsKeyArn"].replace("mrk-", "")}
    for given in ({}, {"KeyConfiguration": {"KeyType": "AWS_OWNED_KEY"}}, {"KeyConfiguration": single}):
        pool_id = home("CreateUserPool", PoolName="p", **given)["UserPool"]["Id"]
        refused(home, "InvalidParameterException", CREATE, UserPoolId=pool_id, RegionName=AWAY)
    lite = home("CreateUserPool", PoolName="p", KeyConfiguration=KEY, UserPoolTier="LITE")["UserPool"]["Id"]
    refused(home, "FeatureUnavailableInTierException", CREATE, UserPoolId=lite, RegionName=AWAY)
    refused(call, MISSING, CREATE, UserPoolId=lite, RegionName=THIRD)


def test_what_cannot_become_a_replica(home, away, replicated):
    """The primary's Region, one that is taken, no Region at all; bad tags; an eleventh."""
    pool_id = replicated()
    for region in (HOME, AWAY, "Ze Moon", "US-EAST-1"):
        refused(home, "InvalidParameterException", CREATE, UserPoolId=pool_id, RegionName=region)
    for region, tags in ((THIRD, {"aws:x": "y"}), (THIRD, {"a": "!"})):
        refused(home, "UserPoolTaggingException", CREATE, UserPoolId=pool_id, RegionName=region, UserPoolTags=tags)
    refused(away, NOT_ENABLED, CREATE, UserPoolId=pool_id, RegionName=THIRD)
    for number in range(9):
        home(CREATE, UserPoolId=pool_id, RegionName=f"xx-test-{number}")
    refused(home, "LimitExceededException", CREATE, UserPoolId=pool_id, RegionName=THIRD)


def test_only_inactive_replicas_go_and_only_from_the_primary(home, away, replicated):
    """What is active, being made, unknown or the primary itself is not deleted; nor is anything from elsewhere."""
    pool_id = replicated()
    refused(home, "InvalidParameterException", DELETE, UserPoolId=pool_id, RegionName=AWAY)
    refused(home, "InvalidParameterException", DELETE, UserPoolId=pool_id, RegionName=HOME)
    refused(home, MISSING, DELETE, UserPoolId=pool_id, RegionName=THIRD)
    refused(home, MISSING, UPDATE, UserPoolId=pool_id, RegionName=THIRD, Status="ACTIVE")
    refused(home, "InvalidParameterException", UPDATE, UserPoolId=pool_id, RegionName=HOME, Status="INACTIVE")
    home(UPDATE, UserPoolId=pool_id, RegionName=AWAY, Status="INACTIVE")
    refused(away, NOT_ENABLED, DELETE, UserPoolId=pool_id, RegionName=AWAY)
    home(DELETE, UserPoolId=pool_id, RegionName=AWAY)


def test_a_pool_with_replicas_stays(home, away, settle, replicated):
    """It is not deleted, loses neither its key nor its plan, until the replicas are gone."""
    pool_id = replicated()
    refused(home, "InvalidParameterException", "DeleteUserPool", UserPoolId=pool_id)
    refused(away, NOT_ENABLED, "DeleteUserPool", UserPoolId=pool_id)
    own = {"KeyType": "AWS_OWNED_KEY"}
    refused(home, "InvalidParameterException", "UpdateUserPool", UserPoolId=pool_id, KeyConfiguration=own)
    refused(home, "TierChangeNotAllowedException", "UpdateUserPool", UserPoolId=pool_id, UserPoolTier="LITE")
    home(UPDATE, UserPoolId=pool_id, RegionName=AWAY, Status="INACTIVE")
    home(DELETE, UserPoolId=pool_id, RegionName=AWAY)
    settle()
    home("DeleteUserPool", UserPoolId=pool_id)


def test_lists_name_the_regions(home, away, replicated):
    """ListUserPools shows a pool in both Regions, with the Regions of its replicas; pages hold both kinds."""
    pool_id = replicated()

    def listed(region):
        pages = region.client.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 2})
        return {each["Id"]: each for page in pages for each in page["UserPools"]}

    assert listed(home)[pool_id]["ReplicaRegions"] == listed(away)[pool_id]["ReplicaRegions"] == [AWAY]


def test_settings_of_a_replica_are_its_own(home, away, replicated):
    """E-mail, SMS, Lambda and tags differ by Region; all others must be given as they are (API reference)."""
    pool_id = replicated(EmailConfiguration={"ReplyToEmailAddress": "home@example.org"})
    before = away("DescribeUserPool", UserPoolId=pool_id)["UserPool"]
    assert before["Arn"] == f"arn:aws:cognito-idp:{AWAY}:000000000000:userpool/{pool_id}"
    assert before["UserPoolTags"] == {"at": "away"}
    assert before["EmailConfiguration"]["ReplyToEmailAddress"] == "home@example.org"
    trigger = {"PreSignUp": f"arn:aws:lambda:{AWAY}:111122223333:function:f"}
    own = {
        "EmailConfiguration": {"ReplyToEmailAddress": "away@example.org"},
        "LambdaConfig": trigger,
        "UserPoolTags": {"new": "tag"},
    }
    away("UpdateUserPool", UserPoolId=pool_id, **own)
    after = away("DescribeUserPool", UserPoolId=pool_id)["UserPool"]
    assert after["EmailConfiguration"]["ReplyToEmailAddress"] == "away@example.org"
    assert (after["LambdaConfig"], after["UserPoolTags"]) == (trigger, {"new": "tag"})
    primary = home("DescribeUserPool", UserPoolId=pool_id)["UserPool"]
    assert primary["EmailConfiguration"]["ReplyToEmailAddress"] == "home@example.org"
    assert (primary["LambdaConfig"], primary["Arn"].split(":")[3]) == ({}, HOME)
    home("UpdateUserPool", UserPoolId=pool_id, DeletionProtection="ACTIVE")
    text = refused(away, "InvalidParameterException", "UpdateUserPool", UserPoolId=pool_id, PoolName="other", **own)
    assert "Name" in text
    shared = {"UserPoolId": pool_id, "DeletionProtection": "INACTIVE"}
    refused(away, "InvalidParameterException", "UpdateUserPool", **shared, **own)
    away("UpdateUserPool", **shared | {"DeletionProtection": "ACTIVE"}, **own)
    home("UpdateUserPool", **shared)


def test_an_active_replica_serves_users(home, away, replicated, client_of):
    """They sign in, refresh, read and sign out there; the issuer stays the pool's."""
    pool_id = replicated()
    client_id = client_of(pool_id)
    made = away("InitiateAuth", **by_password(client_id))["AuthenticationResult"]
    token = made["AccessToken"]
    assert away("GetUser", AccessToken=token)["Username"] == "ann"
    admin = by_password(client_id) | {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "UserPoolId": pool_id}
    away("AdminInitiateAuth", **admin)
    given = {"REFRESH_TOKEN": made["RefreshToken"]}
    away("InitiateAuth", ClientId=client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
    ann = {"UserPoolId": pool_id, "Username": "ann"}
    assert away("AdminGetUser", **ann)["Username"] == "ann"
    assert [each["Username"] for each in away("ListUsers", UserPoolId=pool_id)["Users"]] == ["ann"]
    for operation, members in {
        "ChangePassword": {"AccessToken": token, "PreviousPassword": PASSWORD, "ProposedPassword": "Other-Horse-2"},
        "UpdateUserAttributes": {"AccessToken": token, "UserAttributes": [{"Name": "name", "Value": "A"}]},
        "DeleteUser": {"AccessToken": token},
        "SignUp": {"ClientId": client_id, "Username": "bob", "Password": PASSWORD},
        "ForgotPassword": {"ClientId": client_id, "Username": "ann"},
        "AdminDeleteUser": ann,
        "AdminCreateUser": {"UserPoolId": pool_id, "Username": "bob"},
        "CreateGroup": {"UserPoolId": pool_id, "GroupName": "staff"},
        "CreateUserPoolClient": {"UserPoolId": pool_id, "ClientName": "more"},
    }.items():
        refused(away, NOT_ENABLED, operation, **members)
    # This one declares no error of that name.
    secret = {"UserPoolId": pool_id, "ClientId": client_id}
    refused(away, "InvalidParameterException", "AddUserPoolClientSecret", **secret)
    away("GlobalSignOut", AccessToken=token)
    refused(away, "NotAuthorizedException", "GetUser", AccessToken=token)


def test_functions_of_a_replica_are_its_own(home, away, replicated, client_of):
    """A trigger that only the replica names runs where people sign in through it, and nowhere else."""
    pool_id = replicated()
    client_id = client_of(pool_id)
    trigger = {"PreAuthentication": f"arn:aws:lambda:{AWAY}:111122223333:function:f"}
    away("UpdateUserPool", UserPoolId=pool_id, LambdaConfig=trigger)
    refused(away, "UnexpectedLambdaException", "InitiateAuth", **by_password(client_id))
    admin = by_password(client_id) | {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "UserPoolId": pool_id}
    home("AdminInitiateAuth", **admin)


def test_nobody_comes_over_through_a_replica(away, replicated, client_of, functions):
    """A replica makes no users, so its function for other directories is not asked."""
    pool_id = replicated()
    client_id = client_of(pool_id)
    arn = functions.add(region=AWAY)
    away("UpdateUserPool", UserPoolId=pool_id, LambdaConfig={"UserMigration": arn})
    strange = by_password(client_id) | {"AuthParameters": {"USERNAME": "bob", "PASSWORD": PASSWORD}}
    refused(away, "UserNotFoundException", "InitiateAuth", **strange)
    assert functions.events(arn) == []


def test_a_new_password_is_set_at_the_primary(away, home, replicated, client_of):
    """A temporary password may be shown to a replica, but not replaced there."""
    client_id = client_of(replicated(), permanent=False)
    asked = away("InitiateAuth", **by_password(client_id))
    answer = {
        "ClientId": client_id,
        "ChallengeName": asked["ChallengeName"],
        "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": "Other-Horse-2"},
    }
    refused(away, NOT_ENABLED, "RespondToAuthChallenge", **answer)


def test_a_telephone_shown_at_a_replica_stays_as_it_was(away, home, replicated, client_of, inbox):
    """A code signs in there too, but verifies no number, and no factor is set up there."""
    by_phone = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "x"}
    pool_id = replicated()
    offered = {"MfaConfiguration": "ON", "SmsMfaConfiguration": {"SmsConfiguration": by_phone}}
    client_id, ids = client_of(pool_id), {"UserPoolId": pool_id, "Username": "ann"}
    home("SetUserPoolMfaConfig", UserPoolId=pool_id, **offered)

    def answers(asked, **responses):
        members = {"ClientId": client_id, "ChallengeName": asked["ChallengeName"], "Session": asked["Session"]}
        return members | {"ChallengeResponses": {"USERNAME": "ann"} | responses}

    admin = by_password(client_id) | {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "UserPoolId": pool_id}
    asked = answers(home("AdminInitiateAuth", **admin), PHONE_NUMBER="+15550142")
    set_up = answers(home("AdminRespondToAuthChallenge", **asked, UserPoolId=pool_id))
    set_up["ChallengeResponses"]["SMS_MFA_CODE"] = inbox("+15550142")[-1].code
    refused(away, NOT_ENABLED, "RespondToAuthChallenge", **set_up)
    phone = [{"Name": "phone_number", "Value": "+15550143"}]
    home("AdminUpdateUserAttributes", **ids, UserAttributes=phone)
    asked = away("InitiateAuth", **by_password(client_id))
    answer = answers(asked, SMS_MFA_CODE=inbox("+15550143")[-1].code)
    assert away("RespondToAuthChallenge", **answer)["AuthenticationResult"]
    seen = home("AdminGetUser", **ids)["UserAttributes"]
    assert {"Name": "phone_number_verified", "Value": "true"} not in seen


def test_an_inactive_replica_serves_configuration_alone(home, away, replicated, client_of):
    """No user gets in; administrators read and change its settings."""
    pool_id = replicated()
    client_id = client_of(pool_id)
    token = away("InitiateAuth", **by_password(client_id))["AuthenticationResult"]["AccessToken"]
    home(UPDATE, UserPoolId=pool_id, RegionName=AWAY, Status="INACTIVE")
    refused(away, NOT_ENABLED, "InitiateAuth", **by_password(client_id))
    refused(away, NOT_ENABLED, "GetUser", AccessToken=token)
    admin = by_password(client_id) | {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "UserPoolId": pool_id}
    refused(away, NOT_ENABLED, "AdminInitiateAuth", **admin)
    home("AdminInitiateAuth", **admin)
    assert away("DescribeUserPool", UserPoolId=pool_id)["UserPool"]["Id"] == pool_id
    away("UpdateUserPool", UserPoolId=pool_id, UserPoolTags={"a": "b"})


def test_pages_and_endpoints_of_a_replica(home, away, server, replicated):
    """Active: people sign in but do not sign up. Inactive: there is no such domain. Prefixes are described at home."""
    pool_id, prefix = replicated(), f"replica-{next(_numbers)}"
    home("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix)
    assert away("DescribeUserPoolDomain", Domain=prefix)["DomainDescription"] == {}
    assert home("DescribeUserPoolDomain", Domain=prefix)["DomainDescription"]["UserPoolId"] == pool_id
    client = home(
        "CreateUserPoolClient",
        UserPoolId=pool_id,
        ClientName="web",
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=["https://app.example/cb"],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]
    query = {"client_id": client["ClientId"], "response_type": "code", "redirect_uri": "https://app.example/cb"}

    def status(path):
        return httpx.get(f"{server.url}/auth/{prefix}{path}", params=query).status_code

    assert [status(path) for path in ("/login", "/signup", "/forgotPassword")] == [200, 400, 400]
    assert [status(path) for path in ("/oauth2/authorize", "/oauth2/idpresponse")] == [302, 302]
    home(UPDATE, UserPoolId=pool_id, RegionName=AWAY, Status="INACTIVE")
    assert [status(path) for path in ("/login", "/oauth2/authorize", "/oauth2/idpresponse")] == [404, 404, 404]
    # The keys stay where tokens of the other Regions are verified.
    assert httpx.get(f"{server.url}/{pool_id}/.well-known/jwks.json").status_code == 200


def test_a_foreign_page_token_is_refused(home, replicated):
    """ListUserPoolReplicas continues no other list."""
    members = {"UserPoolId": replicated(), "NextToken": "x"}
    with pytest.raises(ClientError) as caught:
        home("ListUserPoolReplicas", **members)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


def test_mail_about_risks_has_a_sender_in_each_region(home, away, replicated):
    """spec/api/10 §3: through a replica only SourceArn and From of a risk configuration can be set, for it alone."""
    pool_id = replicated(UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"})
    arn = "arn:aws:ses:{}:000000000000:identity/{}"
    notify = {"SourceArn": arn.format("us-east-1", "one"), "ReplyTo": "help@example.org"}
    actions = {"HighAction": {"Notify": True, "EventAction": "BLOCK"}}

    def members(**changed):
        takeover = {"NotifyConfiguration": notify | changed, "Actions": actions}
        return {"UserPoolId": pool_id, "AccountTakeoverRiskConfiguration": takeover}

    def sender(region):
        told = region("DescribeRiskConfiguration", UserPoolId=pool_id)["RiskConfiguration"]
        shown = told["AccountTakeoverRiskConfiguration"]["NotifyConfiguration"]
        return shown["SourceArn"], shown.get("From")

    own = {"SourceArn": arn.format("eu-west-1", "two"), "From": "eu@example.org"}
    refused(away, "InvalidParameterException", "SetRiskConfiguration", **members())
    home("SetRiskConfiguration", **members())
    assert sender(away) == sender(home) == (notify["SourceArn"], None)

    away("SetRiskConfiguration", **members(**own))

    assert sender(away) == (own["SourceArn"], own["From"])
    assert sender(home) == (notify["SourceArn"], None)
    for other in (members(ReplyTo="x@example.org"), {"UserPoolId": pool_id}):
        refused(away, "InvalidParameterException", "SetRiskConfiguration", **other)
    home("SetRiskConfiguration", UserPoolId=pool_id)
    assert (
        "AccountTakeoverRiskConfiguration"
        not in away("DescribeRiskConfiguration", UserPoolId=pool_id)["RiskConfiguration"]
    )
