"""App clients and what belongs to them: secrets, domains, scopes, providers, looks, terms (spec/api/02 §5–9)."""

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


# Looks (02 §9)


def style(world) -> dict:
    made = world.call("CreateManagedLoginBranding", **world.client_of_pool, UseCognitoProvidedValues=True)
    return world.pool | {"ManagedLoginBrandingId": made["ManagedLoginBranding"]["ManagedLoginBrandingId"]}


BLUE = {"components": {"primaryButton": {"lightMode": {"defaults": {"backgroundColor": "0000ffff"}}}}}
LOGO = {"Category": "FORM_LOGO", "ColorMode": "LIGHT", "Extension": "PNG", "Bytes": b"\x89PNG"}


@case
def create_managed_login_branding(world):
    """02 §9"""
    answer = yield world.client_of_pool | {"Settings": BLUE, "Assets": [LOGO]}
    shown = world.call("DescribeManagedLoginBrandingByClient", **world.client_of_pool)
    assert shown == answer
    assert shown["ManagedLoginBranding"]["Settings"] == BLUE


@case
def describe_managed_login_branding(world):
    """02 §9"""
    named = style(world)
    answer = yield named
    assert named.items() <= answer["ManagedLoginBranding"].items()


@case
def describe_managed_login_branding_by_client(world):
    """02 §9"""
    named = style(world)
    answer = yield world.client_of_pool
    assert named.items() <= answer["ManagedLoginBranding"].items()


@case
def update_managed_login_branding(world):
    """02 §9"""
    answer = yield style(world) | {"UseCognitoProvidedValues": False, "Settings": BLUE}
    assert answer["ManagedLoginBranding"]["Settings"] == BLUE


@case
def delete_managed_login_branding(world):
    """02 §9"""
    named = style(world)
    yield named
    assert world.refused("DescribeManagedLoginBranding", **named) == "ResourceNotFoundException"


CSS = ".submitButton-customizable { background-color: #123456; }"


@case
def set_ui_customization(world):
    """02 §9"""
    assert world.domain
    answer = yield world.client_of_pool | {"CSS": CSS}
    assert answer["UICustomization"]["CSS"] == CSS
    assert world.call("GetUICustomization", **world.client_of_pool) == answer


@case
def get_ui_customization(world):
    """02 §9"""
    assert world.domain
    world.call("SetUICustomization", **world.pool, CSS=CSS)
    answer = yield world.client_of_pool
    assert answer["UICustomization"]["CSS"] == CSS


# Terms (10 §7)

LINKS = {"cognito:default": "https://example.org/terms"}
KIND = {"TermsName": "terms-of-use", "TermsSource": "LINK", "Enforcement": "NONE"}


def terms(world) -> dict:
    made = world.call("CreateTerms", **world.client_of_pool, **KIND, Links=LINKS)["Terms"]
    return world.pool | {"TermsId": made["TermsId"]}


@case
def create_terms(world):
    """10 §7"""
    answer = yield world.client_of_pool | KIND | {"Links": LINKS}
    assert world.call("DescribeTerms", **world.pool, TermsId=answer["Terms"]["TermsId"]) == answer
    assert answer["Terms"]["Links"] == LINKS


@case
def describe_terms(world):
    """10 §7"""
    named = terms(world)
    answer = yield named
    assert answer["Terms"]["TermsId"] == named["TermsId"]


@case
def describe_terms_by_client(world):
    """10 §7"""
    named = terms(world)
    answer = yield world.client_of_pool | {"TermsName": "terms-of-use"}
    assert answer["Terms"]["TermsId"] == named["TermsId"]


@case
def update_terms(world):
    """10 §7"""
    changed = {"Links": {"cognito:default": "https://example.org/other"}}
    answer = yield terms(world) | changed
    assert changed.items() <= answer["Terms"].items()


@case
def delete_terms(world):
    """10 §7"""
    named = terms(world)
    yield named
    assert world.refused("DescribeTerms", **named) == "ResourceNotFoundException"


@case
def list_terms(world):
    """10 §7"""
    named = terms(world)
    answer = yield world.pool | {"MaxResults": 60}
    assert [it["TermsId"] for it in answer["Terms"]] == [named["TermsId"]]
