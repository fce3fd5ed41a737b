"""App clients and what belongs to them: secrets, domains, scopes, providers (spec/api/02 §5–8)."""

from tests.matrix.world import case


@case
def create_user_pool_client(world):
    """02 §5.1"""
    answer = yield world.pool | {"ClientName": "made", "GenerateSecret": True}
    made = answer["UserPoolClient"]
    ids = world.pool | {"ClientId": made["ClientId"]}
    assert made["ClientSecret"]
    assert world.call("DescribeUserPoolClient", **ids)["UserPoolClient"] == made


@case
def describe_user_pool_client(world):
    """02 §5.5"""
    answer = yield world.client_of_pool
    assert answer["UserPoolClient"] == world.client


@case
def update_user_pool_client(world):
    """02 §5.4"""
    answer = yield world.client_of_pool | {"ClientName": "renamed", "AuthSessionValidity": 7}
    assert world.call("DescribeUserPoolClient", **world.client_of_pool) == answer
    assert (answer["UserPoolClient"]["ClientName"], answer["UserPoolClient"]["AuthSessionValidity"]) == ("renamed", 7)


@case
def delete_user_pool_client(world):
    """02 §5.5"""
    yield world.client_of_pool
    assert world.refused("DescribeUserPoolClient", **world.client_of_pool) == "ResourceNotFoundException"


@case
def list_user_pool_clients(world):
    """02 §5.5"""
    made = {world.new_client()["ClientId"] for _ in range(2)}
    answer = yield world.pool | {"MaxResults": 60}
    assert {it["ClientId"] for it in answer["UserPoolClients"]} == made


# Secrets (10 §5)


def confidential(world) -> dict:
    return world.pool | {"ClientId": world.confidential["ClientId"]}


def secret_ids(world) -> list[str]:
    return world.names("ListUserPoolClientSecrets", "ClientSecrets", "ClientSecretId", **confidential(world))


@case
def add_user_pool_client_secret(world):
    """10 §5"""
    answer = yield confidential(world)
    assert answer["ClientSecretDescriptor"]["ClientSecretValue"]
    assert secret_ids(world)[-1] == answer["ClientSecretDescriptor"]["ClientSecretId"]


@case
def list_user_pool_client_secrets(world):
    """10 §5"""
    answer = yield confidential(world)
    assert len(answer["ClientSecrets"]) == 1


@case
def delete_user_pool_client_secret(world):
    """10 §5"""
    world.call("AddUserPoolClientSecret", **confidential(world))
    first, second = secret_ids(world)
    yield confidential(world) | {"ClientSecretId": first}
    assert secret_ids(world) == [second]


# Domains (02 §6)


@case
def create_user_pool_domain(world):
    """02 §6"""
    domain = f"made-{world.pool_id[-9:].encode().hex()}"
    yield world.pool | {"Domain": domain}
    assert world.described["Domain"] == domain


@case
def describe_user_pool_domain(world):
    """02 §6"""
    answer = yield {"Domain": world.domain}
    assert answer["DomainDescription"]["UserPoolId"] == world.pool_id


@case
def update_user_pool_domain(world):
    """02 §6"""
    yield world.pool | {"Domain": world.domain, "ManagedLoginVersion": 2}
    described = world.call("DescribeUserPoolDomain", Domain=world.domain)["DomainDescription"]
    assert described["ManagedLoginVersion"] == 2


@case
def delete_user_pool_domain(world):
    """02 §6"""
    yield world.pool | {"Domain": world.domain}
    assert world.call("DescribeUserPoolDomain", Domain=world.domain)["DomainDescription"] == {}


# Resource servers (02 §8)

SCOPES = [{"ScopeName": "read", "ScopeDescription": "to read"}]


def resource_server(world) -> dict:
    world.call("CreateResourceServer", **world.pool, Identifier="api", Name="api")
    return world.pool | {"Identifier": "api"}


@case
def create_resource_server(world):
    """02 §8"""
    request = world.pool | {"Identifier": "made", "Name": "made", "Scopes": SCOPES}
    answer = yield request
    assert answer["ResourceServer"] == request
    shown = world.call("DescribeResourceServer", **world.pool, Identifier="made")
    assert shown == answer


@case
def describe_resource_server(world):
    """02 §8"""
    named = resource_server(world)
    answer = yield named
    assert answer["ResourceServer"] == named | {"Name": "api"}


@case
def update_resource_server(world):
    """02 §8"""
    request = resource_server(world) | {"Name": "renamed", "Scopes": SCOPES}
    answer = yield request
    assert answer["ResourceServer"] == request


@case
def delete_resource_server(world):
    """02 §8"""
    named = resource_server(world)
    yield named
    assert world.refused("DescribeResourceServer", **named) == "ResourceNotFoundException"


@case
def list_resource_servers(world):
    """02 §8"""
    resource_server(world)
    answer = yield world.pool | {"MaxResults": 50}
    assert [it["Identifier"] for it in answer["ResourceServers"]] == ["api"]


# Identity providers (02 §7)

DETAILS = {
    "client_id": "matrix",
    "client_secret": "secret-of-the-provider",
    "authorize_scopes": "openid",
    "attributes_request_method": "GET",
    "oidc_issuer": "https://idp.example",
    "authorize_url": "https://idp.example/authorize",
    "token_url": "https://idp.example/token",
    "attributes_url": "https://idp.example/userinfo",
    "jwks_uri": "https://idp.example/keys",
}
PROVIDER = {"ProviderType": "OIDC", "ProviderDetails": DETAILS}


def provider(world) -> dict:
    named = world.pool | {"ProviderName": "Partner"}
    world.call("CreateIdentityProvider", **named, **PROVIDER, IdpIdentifiers=["partner.example"])
    return named


@case
def create_identity_provider(world):
    """02 §7"""
    named = world.pool | {"ProviderName": "Made"}
    answer = yield named | PROVIDER
    assert DETAILS.items() <= answer["IdentityProvider"]["ProviderDetails"].items()
    assert world.call("DescribeIdentityProvider", **named) == answer


@case
def describe_identity_provider(world):
    """02 §7"""
    answer = yield provider(world)
    assert answer["IdentityProvider"]["ProviderName"] == "Partner"


@case
def get_identity_provider_by_identifier(world):
    """02 §7"""
    provider(world)
    answer = yield world.pool | {"IdpIdentifier": "partner.example"}
    assert answer["IdentityProvider"]["ProviderName"] == "Partner"


@case
def update_identity_provider(world):
    """02 §7"""
    answer = yield provider(world) | {"AttributeMapping": {"email": "mail", "username": "sub"}}
    assert answer["IdentityProvider"]["AttributeMapping"] == {"email": "mail", "username": "sub"}


@case
def delete_identity_provider(world):
    """02 §7"""
    named = provider(world)
    yield named
    assert world.refused("DescribeIdentityProvider", **named) == "ResourceNotFoundException"


@case
def list_identity_providers(world):
    """02 §7"""
    provider(world)
    answer = yield world.pool | {"MaxResults": 60}
    assert [it["ProviderName"] for it in answer["Providers"]] == ["Partner"]
