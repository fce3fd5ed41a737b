"""Row 27: nobody reaches from one pool, Region or user into another: every operation, generated from the registry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

import poolhouse.api.operations  # noqa: F401 - fills the registry
from poolhouse.api.registry import HANDLERS
from poolhouse.model import OPERATIONS, Access
from tests.conftest import PASSWORD
from tests.csv_files import ROLE
from tests.oauth.conftest import CALLBACK, OAUTH_CLIENT

FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]
ARN = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/"
REFUSED = {"ResourceNotFoundException", "UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"}


@dataclass
class Tenant:
    """A pool and one of everything in it."""

    pool_id: str
    client: str
    domain: str
    style: str
    username: str = "ann"
    server_id: str = "rs"
    group: str = "group"
    terms: str = "00000000-0000-4000-8000-000000000000"
    secret: str = "none--1700000000"
    provider: str = "nobody"
    device: str = "us-east-1_00000000-0000-4000-8000-000000000000"
    session: str = "tkn" + "0" * 25
    job: str = "import-none"

    def names(self) -> dict[str, Any]:
        """The members by which requests name things of this tenant."""
        return {
            "UserPoolId": self.pool_id, "ClientId": self.client, "Domain": self.domain, "Username": self.username,
            "ManagedLoginBrandingId": self.style, "Identifier": self.server_id, "ResourceArn": ARN + self.pool_id,
            "GroupName": self.group, "TermsId": self.terms, "ClientSecretId": self.secret,
            "ProviderName": self.provider, "IdpIdentifier": f"{self.provider}.example", "DeviceKey": self.device,
            "DestinationUser": {"ProviderName": "Cognito", "ProviderAttributeValue": self.username},
            "SourceUser": self.identity("source"), "User": self.identity("linked"), "SessionId": self.session,
            "JobId": self.job,
        }  # fmt: skip

    def identity(self, value: str) -> dict[str, str]:
        """A user of the provider."""
        known = {"ProviderName": self.provider, "ProviderAttributeName": "Cognito_Subject"}
        return known | {"ProviderAttributeValue": value}


@pytest.fixture
def tenant(call, pool, app, user) -> Callable[[str], Tenant]:
    """Make a pool with a user, a client, a domain, a style, a resource server and a group of these names."""

    def make(name: str) -> Tenant:
        pool_id = pool(
            AutoVerifiedAttributes=["email"],
            DeviceConfiguration={"DeviceOnlyRememberedOnUserPrompt": False},
            UserPoolTier="PLUS",
            UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"},
        )
        client = app(pool_id, **(OAUTH_CLIENT | {"ExplicitAuthFlows": FLOWS, "AllowedOAuthScopes": ["openid"]}))[
            "ClientId"
        ]
        domain = f"t27-{name}-{pool_id[-9:].encode().hex()}"
        call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=domain, ManagedLoginVersion=2)
        style = call("CreateManagedLoginBranding", UserPoolId=pool_id, ClientId=client, UseCognitoProvidedValues=True)
        call("CreateResourceServer", UserPoolId=pool_id, Identifier=f"rs-{name}", Name="rs")
        user(pool_id, name, email=f"{name}27@example.com", email_verified="true", name="Before")
        call("CreateGroup", UserPoolId=pool_id, GroupName=f"group-{name}")
        call("AdminAddUserToGroup", UserPoolId=pool_id, GroupName=f"group-{name}", Username=name)
        branding = style["ManagedLoginBranding"]["ManagedLoginBrandingId"]
        terms = call("CreateTerms", UserPoolId=pool_id, ClientId=client, **TERMS)["Terms"]["TermsId"]
        confidential = app(pool_id, GenerateSecret=True)["ClientId"]
        secrets = call("ListUserPoolClientSecrets", UserPoolId=pool_id, ClientId=confidential)["ClientSecrets"]
        secret = secrets[0]["ClientSecretId"]
        provider = f"Provider-{name}"
        known = {"ProviderName": provider, "IdpIdentifiers": [f"{provider}.example"]}
        call("CreateIdentityProvider", UserPoolId=pool_id, **(PROVIDER | known))
        call("SetUserPoolSessionConfiguration", UserPoolId=pool_id, **TRACKING)
        device = confirm_device(call, client, name)
        session = call("AdminListUserSessions", UserPoolId=pool_id, Username=name)["Sessions"][0]["SessionId"]
        importing = {"JobName": name, "CloudWatchLogsRoleArn": ROLE}
        job = call("CreateUserImportJob", UserPoolId=pool_id, **importing)["UserImportJob"]["JobId"]
        own = (f"rs-{name}", f"group-{name}", terms, secret, provider, device, session, job)
        made = Tenant(pool_id, client, domain, branding, name, *own)
        linked = {"DestinationUser": made.names()["DestinationUser"], "SourceUser": made.identity("linked")}
        call("AdminLinkProviderForUser", UserPoolId=pool_id, **linked)
        return made

    return make


def confirm_device(call, client: str, username: str) -> str:
    """Sign in from a new device and confirm it; give its key."""
    tokens = call(
        "InitiateAuth",
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    key = tokens["NewDeviceMetadata"]["DeviceKey"]
    call("ConfirmDevice", AccessToken=tokens["AccessToken"], DeviceKey=key)
    return key


TERMS: dict[str, Any] = {
    "TermsName": "terms-of-use", "TermsSource": "LINK", "Enforcement": "NONE",
    "Links": {"cognito:default": "https://example.com/terms"},
}  # fmt: skip
TRACKING: dict[str, Any] = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 9}}
PROVIDER: dict[str, Any] = {
    "ProviderType": "OIDC",
    "ProviderDetails": {
        "client_id": "after", "client_secret": "after", "authorize_scopes": "openid",
        "attributes_request_method": "GET", "oidc_issuer": "https://idp.example",
    },
}  # fmt: skip
# What requests say besides whom they are about.
MORE: dict[str, Any] = {
    "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "x" * 20,
    "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": PASSWORD},
    "Password": "Battery-Staple-2", "UserAttributes": [{"Name": "name", "Value": "After"}],
    "UserAttributeNames": ["name"], "CustomAttributes": [{"Name": "after", "AttributeDataType": "String"}],
    "Name": "After", "ClientName": "After", "PoolName": "After", "Tags": {"after": "x"}, "TagKeys": ["after"],
    "CSS": "", **TERMS, **PROVIDER, "MaxResults": 5, "UseCognitoProvidedValues": True, "MfaConfiguration": "OFF", "ManagedLoginVersion": 1,
    "DeviceRememberedStatus": "not_remembered", "RegionName": "eu-west-1", "Status": "ACTIVE",
    "FeedbackValue": "Valid", "EventId": "00000000-0000-4000-8000-000000000000", "LogConfigurations": [],
    "JobName": "after", "CloudWatchLogsRoleArn": ROLE,
    "MFAOptions": [], "SSOSession": {"MaxValidityMinutes": 0}, **TRACKING,
}  # fmt: skip
# Members that are left out although they could be given.
OPTIONAL = {
    "CreateManagedLoginBranding": ("UseCognitoProvidedValues",),
    "UpdateManagedLoginBranding": ("ManagedLoginBrandingId", "UserPoolId", "UseCognitoProvidedValues"),
    "AdminInitiateAuth": ("AuthParameters",),
    "AdminRespondToAuthChallenge": ("ChallengeResponses", "Session"),
    "SetUserPoolMfaConfig": ("MfaConfiguration",),
    "CreateTerms": ("Links",),
    "UpdateTerms": ("Links",),
    "UpdateIdentityProvider": ("ProviderDetails",),
    "AdminUpdateDeviceStatus": ("DeviceRememberedStatus",),
    "DescribeRiskConfiguration": ("ClientId",),
    "SetRiskConfiguration": ("ClientId",),
    "GetUICustomization": ("ClientId",),
    "SetUICustomization": ("ClientId", "CSS"),
    "CreateUserPoolDomain": ("ManagedLoginVersion",),
    "UpdateUserPoolDomain": ("ManagedLoginVersion",),
}
CODE_REFUSED = {"CodeMismatchException", "ExpiredCodeException"}
# What users of a pool without passkeys are told.
EXPECTED = {
    "StartWebAuthnRegistration": {"WebAuthnNotEnabledException"},
    "CompleteWebAuthnRegistration": {"WebAuthnNotEnabledException"},
    "DeleteWebAuthnCredential": {"ResourceNotFoundException"},
    "RevokeUserSession": {"ResourceNotFoundException"},
}
NAMING = {"UserPoolId", "Domain", "ResourceArn"}


def members(operation: str, names: dict[str, Any]) -> dict[str, Any]:
    """A whole request of an operation about the things of these names."""
    fields = msgspec.structs.fields(OPERATIONS[operation].request)
    wanted = [
        field.encode_name for field in fields if field.required or field.encode_name in OPTIONAL.get(operation, ())
    ]
    request = {name: names[name] if name in names else MORE[name] for name in wanted}
    if operation == "AdminSetUserPassword":
        request["Permanent"] = True
    return request


def admin_operations() -> list[str]:
    """The signed operations about something that exists."""
    found = []
    for name in sorted(HANDLERS):
        named = {field.encode_name for field in msgspec.structs.fields(OPERATIONS[name].request)}
        if OPERATIONS[name].access is Access.ADMIN and named & NAMING:
            found.append(name)
    return found


def snapshot(call, tenant: Tenant) -> Any:
    """All that an administrator can see of a tenant."""
    pool = {"UserPoolId": tenant.pool_id}
    return [
        call("DescribeUserPool", **pool),
        call("ListUserPoolClients", **pool, MaxResults=60),
        call("DescribeUserPoolClient", **pool, ClientId=tenant.client),
        call("ListUsers", **pool),
        call("ListResourceServers", **pool, MaxResults=50),
        call("ListGroups", **pool),
        call("ListUsersInGroup", **pool, GroupName=tenant.group),
        call("AdminListDevices", **pool, Username=tenant.username),
        call("ListTerms", **pool),
        call("DescribeTerms", **pool, TermsId=tenant.terms),
        call("ListIdentityProviders", **pool),
        call("DescribeIdentityProvider", **pool, ProviderName=tenant.provider),
        call("ListUserPoolClientSecrets", **pool, ClientId=tenant.secret.partition("--")[0]),
        call("GetUICustomization", **pool, ClientId=tenant.client),
        call("DescribeUserPoolDomain", Domain=tenant.domain),
        call("DescribeManagedLoginBranding", **pool, ManagedLoginBrandingId=tenant.style),
        call("GetUserPoolMfaConfig", **pool),
        call("GetUserPoolSessionConfiguration", **pool),
        call("GetUserPoolClientSessionConfiguration", **pool, ClientId=tenant.client),
        [
            each
            for each in call("AdminListUserSessions", **pool, Username=tenant.username)["Sessions"]
            if each["SessionId"] == tenant.session
        ],
        call("ListUserImportJobs", **pool, MaxResults=9),
        call("DescribeUserImportJob", **pool, JobId=tenant.job),
        call("ListTagsForResource", ResourceArn=ARN + tenant.pool_id),
    ]


def refused(client, operation: str, request: dict[str, Any]) -> str:
    """The code of the error that a request must end in."""
    with pytest.raises(ClientError) as raised:
        client._make_api_call(operation, request)
    return raised.value.response["Error"]["Code"]


def test_27_the_matrix_is_whole():
    """Row 27: the matrix has every signed operation of this version that names a pool."""
    assert len(admin_operations()) >= 43
    assert set(MORE) | set(Tenant("", "", "", "").names()) >= {
        field.encode_name
        for name in admin_operations()
        for field in msgspec.structs.fields(OPERATIONS[name].request)
        if field.required
    }


# Answers nothing, rather than an error, where there is no such domain.
SILENT = {"DescribeUserPoolDomain"}


def test_27_another_region(server, call, tenant):
    """Row 27: a caller of another Region sees and changes nothing of a pool, by any operation."""
    target = tenant("ann")
    before = snapshot(call, target)
    elsewhere = server.boto(region_name="eu-west-1")
    for operation in admin_operations():
        request = members(operation, target.names())
        if operation in SILENT:
            assert elsewhere._make_api_call(operation, request)["DomainDescription"] == {}
        else:
            assert refused(elsewhere, operation, request) in REFUSED, operation
    assert snapshot(call, target) == before


def test_27_the_built_in_pool(server, call, cognito, operator_names):
    """Row 27: no signed operation reaches the pool of operators, not even to say that it is there."""
    nowhere = operator_names | {"UserPoolId": "us-east-1_AAAAAAAAA", "ResourceArn": f"{ARN}us-east-1_AAAAAAAAA"}
    before = server.read(
        lambda tx: [tx.catalogue.find_pool(operator_names["UserPoolId"]), _operators(tx, operator_names)]
    )
    for operation in admin_operations():
        request = members(operation, operator_names)
        if operation in SILENT:
            assert cognito._make_api_call(operation, request)["DomainDescription"] == {}
            continue
        told = _error(cognito, operation, request)
        # The same as for a pool that is not there, but for its name.
        expected = _error(cognito, operation, members(operation, nowhere))
        assert told["Code"] == expected["Code"], operation
        assert told["Message"].replace(operator_names["UserPoolId"], "us-east-1_AAAAAAAAA") == expected["Message"]
    assert before == server.read(
        lambda tx: [tx.catalogue.find_pool(operator_names["UserPoolId"]), _operators(tx, operator_names)]
    )


def _operators(tx, names: dict[str, Any]) -> Any:
    return tx.users.page(names["UserPoolId"], after=None, limit=100), tx.clients.page(
        names["UserPoolId"], after=None, limit=9
    )


def _error(client, operation: str, request: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ClientError) as raised:
        client._make_api_call(operation, request)
    return raised.value.response["Error"]


@pytest.fixture
def operator_names(server) -> dict[str, Any]:
    """The things of the built-in pool, by their real names."""
    from poolhouse.flows import operators

    server.run(operators.ensure_operator(server.deps, "op27@example.org", "a-long-operator-password"))
    found_pool, client = server.read(lambda tx: operators.get_pool(tx, server.deps))
    style = server.read(lambda tx: tx.branding.find_by_client(client.id)).managed_login_branding_id
    return Tenant(found_pool.id, client.id, operators.DOMAIN, style, "op27@example.org").names()


def test_27_things_of_another_pool(call, cognito, tenant):
    """Row 27: by the id of one's own pool nothing of another pool is found, whatever is named."""
    own, other = tenant("ann"), tenant("bob")
    before = snapshot(call, own), snapshot(call, other)
    for operation in admin_operations():
        fields = {field.encode_name for field in msgspec.structs.fields(OPERATIONS[operation].request)}
        for name in fields & (set(own.names()) - {"UserPoolId"}):
            if operation.startswith("Create") and name in {"Identifier", "GroupName", "ProviderName"}:
                continue
            if operation == "AdminCreateUser" or name == "ResourceArn" or "UserPoolId" not in fields:
                continue
            request = members(operation, own.names() | {name: other.names()[name]})
            if operation == "UpdateUserPoolDomain":
                request["UserPoolId"] = own.pool_id
            assert refused(cognito, operation, request) in REFUSED, (operation, name)
    assert (snapshot(call, own), snapshot(call, other)) == before


def test_27_public_operations_with_a_foreign_client(call, cognito, tenant, inbox):
    """Row 27: a client finds no user of another pool, and no token, code or session of one is good with it."""
    own, other = tenant("ann"), tenant("bob")
    before = snapshot(call, own)
    tokens = call(
        "InitiateAuth",
        ClientId=own.client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    call("ForgotPassword", ClientId=own.client, Username="ann")
    code = inbox("ann27@example.com")[-1].code
    mine = {"ClientId": other.client}
    for operation, request in (
        (
            "InitiateAuth",
            {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}},
        ),
        (
            "InitiateAuth",
            {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]}},
        ),
        ("GetTokensFromRefreshToken", {"RefreshToken": tokens["RefreshToken"]}),
        ("RevokeToken", {"Token": tokens["RefreshToken"]}),
        ("ForgotPassword", {"Username": "ann"}),
        ("ConfirmForgotPassword", {"Username": "ann", "ConfirmationCode": code, "Password": "Battery-Staple-2"}),
        ("ResendConfirmationCode", {"Username": "ann"}),
        ("ConfirmSignUp", {"Username": "ann", "ConfirmationCode": code}),
    ):
        assert refused(cognito, operation, mine | request) in {*REFUSED, "UnauthorizedException"}, operation
    assert snapshot(call, own) == before
    assert call("GetUser", AccessToken=tokens["AccessToken"])["Username"] == "ann"


def test_27_users_reach_only_themselves(call, cognito, tenant, user):
    """Row 27: with a token everything that users may do is done to its own user, and to nobody else."""
    own = tenant("ann")
    user(own.pool_id, "bob", email="bob27b@example.com", email_verified="true", name="Bob")

    device = confirm_device(call, own.client, "bob")

    def bob() -> Any:
        known = {"UserPoolId": own.pool_id, "Username": "bob"}
        return call("AdminGetUser", **known), call("AdminListDevices", **known)

    def token() -> str:
        return call(
            "InitiateAuth",
            ClientId=own.client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
        )["AuthenticationResult"]["AccessToken"]

    bobs = call(
        "InitiateAuth",
        ClientId=own.client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "bob", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]["AccessToken"]
    listed = call("AdminListUserSessions", UserPoolId=own.pool_id, Username="bob")["Sessions"]
    bobs_session = listed[0]["SessionId"]
    before = bob()
    operations = [name for name in sorted(HANDLERS) if OPERATIONS[name].access is Access.USER]
    assert len(operations) >= 8
    for operation in sorted(operations, key=lambda name: name == "DeleteUser"):
        request: dict[str, Any] = {"AccessToken": token()}
        names = {field.encode_name for field in msgspec.structs.fields(OPERATIONS[operation].request)}
        known = {
            "UserAttributes": [{"Name": "name", "Value": "After"}], "UserAttributeNames": ["name"],
            "AttributeName": "email", "Code": "123456", "PreviousPassword": PASSWORD, "ProposedPassword": PASSWORD,
            "DeviceKey": device, "DeviceRememberedStatus": "not_remembered",
            "MFAOptions": [], "CredentialId": "x", "Credential": {}, "SessionId": bobs_session,
        }  # fmt: skip
        request |= {name: value for name, value in known.items() if name in names}
        try:
            cognito._make_api_call(operation, request)
            assert "DeviceKey" not in names, operation
        except ClientError as error:
            expected = REFUSED if "DeviceKey" in names else EXPECTED.get(operation, CODE_REFUSED)
            assert error.response["Error"]["Code"] in expected, operation
        assert bob() == before, operation
        assert call("GetUser", AccessToken=bobs)["Username"] == "bob", operation


def test_27_domains_serve_their_own_pool(call, server, tenant, site):
    """Row 27: the endpoints of one pool's domain know no client of another."""
    other = tenant("bob")
    base = f"{server.url}/auth/{other.domain}"
    query = {"client_id": site.a, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
    for path in ("/oauth2/authorize", "/login", "/signup", "/logout", "/forgotPassword"):
        answer = site.http.get(base + path, params=query)
        assert answer.status_code == 302
        assert answer.headers["location"] == f"{base}/error?error=Client%20does%20not%20exist."
    tokens = site.tokens()
    for path, form in (
        ("/oauth2/token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}),
        ("/oauth2/token", {"grant_type": "authorization_code", "code": site.code(), "redirect_uri": CALLBACK}),
        ("/oauth2/revoke", {"token": tokens["refresh_token"]}),
    ):
        answer = site.http.post(base + path, data={"client_id": site.a} | form)
        assert answer.json() == {"error": "invalid_client"}
    link = site.http.get(
        f"{base}/confirmUser", params={"client_id": site.a, "user_name": "x", "confirmation_code": "1"}
    )
    assert link.status_code == 400
