"""Records of identity providers over the wire (spec/api/02 §7, spec/http/06 §6.1–6.2)."""

import pytest

from tests.core.test_saml_metadata import SIGN_ON, entity, key
from tests.federation.certificates import make_pair
from tests.operations.refusals import refused, unchecked

APPLICATION = {"client_id": "1example", "client_secret": "provider-secret", "authorize_scopes": "openid email"}
GIVEN = {
    "Google": APPLICATION,
    "Facebook": APPLICATION | {"api_version": "v17.0"},
    "LoginWithAmazon": APPLICATION,
    "SignInWithApple": {
        "client_id": "com.example", "team_id": "2EX", "key_id": "3EX", "private_key": "apple-key",
        "authorize_scopes": "email name",
    },
    "OIDC": APPLICATION | {"attributes_request_method": "GET", "oidc_issuer": "https://idp.example"},
    "SAML": {"MetadataFile": entity(), "IDPSignout": "true", "RequestSigningAlgorithm": "rsa-sha256"},
}  # fmt: skip
ADDED = {
    "Google": {
        "attributes_url": "https://people.googleapis.com/v1/people/me?personFields=",
        "attributes_url_add_attributes": "true",
        "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
        "oidc_issuer": "https://accounts.google.com",
        "token_request_method": "POST",
        "token_url": "https://www.googleapis.com/oauth2/v4/token",
    },
    "Facebook": {
        "attributes_url": "https://graph.facebook.com/v17.0/me?fields=",
        "attributes_url_add_attributes": "true",
        "authorize_url": "https://www.facebook.com/v17.0/dialog/oauth",
        "token_request_method": "GET",
        "token_url": "https://graph.facebook.com/v17.0/oauth/access_token",
    },
    "LoginWithAmazon": {
        "attributes_url": "https://api.amazon.com/user/profile",
        "attributes_url_add_attributes": "false",
        "authorize_url": "https://www.amazon.com/ap/oa",
        "token_request_method": "POST",
        "token_url": "https://api.amazon.com/auth/o2/token",
    },
    "SignInWithApple": {
        "attributes_url_add_attributes": "false",
        "authorize_url": "https://appleid.apple.com/auth/authorize",
        "oidc_issuer": "https://appleid.apple.com",
        "token_request_method": "POST",
        "token_url": "https://appleid.apple.com/auth/token",
    },
    "OIDC": {"attributes_url_add_attributes": "false"},
    "SAML": {
        "SSORedirectBindingURI": "https://idp.example/sso",
        "SLORedirectBindingURI": "https://idp.example/slo",
    },
}
SOURCES = {
    "Google": "sub",
    "Facebook": "id",
    "LoginWithAmazon": "user_id",
    "SignInWithApple": "sub",
    "OIDC": "sub",
    "SAML": None,
}
REQUIRED = [(kind, key) for kind, given in GIVEN.items() if kind != "SAML" for key in given]


def members(pool_id, kind="OIDC", **changes):
    name = kind if kind not in {"OIDC", "SAML"} else "Partner"
    request = {"UserPoolId": pool_id, "ProviderName": name, "ProviderType": kind, "ProviderDetails": GIVEN[kind]}
    return request | changes


def create(call, pool_id, kind="OIDC", **changes):
    return call("CreateIdentityProvider", **members(pool_id, kind, **changes))["IdentityProvider"]


def describe(call, pool_id, name="Partner"):
    return call("DescribeIdentityProvider", UserPoolId=pool_id, ProviderName=name)["IdentityProvider"]


def test_a_metadata_file_with_certificates(call, pool):
    """One that has expired is refused, unless there is another."""
    good, old = (make_pair(days).bare for days in ((-1, 9), (-9, -1)))

    def details(*certificates):
        return {"MetadataFile": entity("".join(map(key, certificates)) + SIGN_ON)}

    pool_id = pool()
    text = "The signing certificate in MetadataFile has expired."
    asked = members(pool_id, "SAML", ProviderDetails=details(old))
    assert refused(call, "InvalidParameterException", "CreateIdentityProvider", **asked) == text
    create(call, pool_id, "SAML", ProviderDetails=details(old, good, "AAAA"))
    changes = {"UserPoolId": pool_id, "ProviderName": "Partner", "ProviderDetails": details(old)}
    assert refused(call, "InvalidParameterException", "UpdateIdentityProvider", **changes) == text


def test_a_key_pair_that_is_brought_along(call, pool):
    """Stays where assertions are encrypted, as an export has it; else it is dropped."""
    pool_id = pool()
    brought = GIVEN["SAML"] | {"decryption_key": "key", "ActiveEncryptionCertificate": "certificate"}
    made = create(call, pool_id, "SAML", ProviderDetails=brought | {"EncryptedResponses": "true"})
    assert made["ProviderDetails"]["ActiveEncryptionCertificate"] == "certificate"
    assert "decryption_key" not in describe(call, pool_id)["ProviderDetails"]
    other = create(call, pool(), "SAML", ProviderDetails=brought)
    assert not {"ActiveEncryptionCertificate", "decryption_key"} & other["ProviderDetails"].keys()


@pytest.mark.parametrize("kind", GIVEN)
def test_each_type_is_completed(call, pool, kind):
    """With its fixed addresses and the claim that names the user; a private key is never told."""
    pool_id = pool()
    made = create(call, pool_id, kind, IdpIdentifiers=["partner.example"])
    shown = {key: value for key, value in GIVEN[kind].items() if key != "private_key"}
    mapping = {"AttributeMapping": {"username": SOURCES[kind]}} if SOURCES[kind] else {}
    expected = {
        "UserPoolId": pool_id,
        "ProviderName": members(pool_id, kind)["ProviderName"],
        "ProviderType": kind,
        "ProviderDetails": shown | ADDED[kind],
        "IdpIdentifiers": ["partner.example"],
        "CreationDate": made["CreationDate"],
        "LastModifiedDate": made["CreationDate"],
        **mapping,
    }
    assert made == expected
    assert describe(call, pool_id, made["ProviderName"]) == expected
    found = call("GetIdentityProviderByIdentifier", UserPoolId=pool_id, IdpIdentifier="partner.example")
    assert found["IdentityProvider"] == expected


@pytest.mark.parametrize(("kind", "key"), REQUIRED)
def test_each_required_key_is_required(call, pool, kind, key):
    """Left out or blank."""
    pool_id = pool()
    given = {name: value for name, value in GIVEN[kind].items() if name != key}
    for details in (given, given | {key: " "}):
        text = refused(
            call, "InvalidParameterException", "CreateIdentityProvider",
            **members(pool_id, kind, ProviderDetails=details),
        )  # fmt: skip
        assert key in text
        assert "provider-secret" not in text


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("OIDC", {"ProviderDetails": GIVEN["OIDC"] | {"attributes_request_method": "PUT"}}),
        ("OIDC", {"ProviderDetails": GIVEN["OIDC"] | {"oidc_issuer": "idp.example"}}),
        ("OIDC", {"ProviderDetails": GIVEN["OIDC"] | {"token_url": "http://idp.example/token"}}),
        ("OIDC", {"ProviderDetails": GIVEN["OIDC"] | {"client_secert": "x"}}),
        ("OIDC", {"ProviderName": "COGNITO"}),
        ("OIDC", {"ProviderName": "ab\u0000"}),
        ("OIDC", {"AttributeMapping": {"nothing": "x"}}),
        ("OIDC", {"IdpIdentifiers": ["a", "a"]}),
        ("Google", {"ProviderName": "Goggle"}),
        ("Google", {"AcrMapping": {"Level1": "x"}}),
        ("Facebook", {"ProviderDetails": GIVEN["Facebook"] | {"api_version": "../v1.0"}}),
        ("SAML", {"ProviderDetails": {}}),
        ("SAML", {"ProviderDetails": {"IDPInit": "true"}}),
        ("SAML", {"ProviderDetails": GIVEN["SAML"] | {"MetadataURL": "https://idp.example/metadata"}}),
        ("SAML", {"ProviderDetails": GIVEN["SAML"] | {"IDPInit": "yes"}}),
        ("SAML", {"ProviderDetails": GIVEN["SAML"] | {"RequestSigningAlgorithm": "rsa-sha1"}}),
        ("SAML", {"ProviderDetails": {"MetadataFile": "<!DOCTYPE x>" + entity()}}),
        ("SAML", {"ProviderDetails": {"MetadataURL": "file:///etc/passwd"}}),
    ],
)
def test_what_cannot_be(server, call, pool, kind, changes):
    """Is refused, and nothing is stored."""
    pool_id = pool()
    request = members(pool_id, kind, **changes)
    refused(unchecked(server), "InvalidParameterException", "CreateIdentityProvider", **request)
    assert call("ListIdentityProviders", UserPoolId=pool_id)["Providers"] == []


def test_names_and_identifiers_are_unique(call, pool):
    """In their pool."""
    pool_id, other = pool(), pool()
    create(call, pool_id, IdpIdentifiers=["partner.example"])
    create(call, other, IdpIdentifiers=["partner.example"])
    text = refused(call, "DuplicateProviderException", "CreateIdentityProvider", **members(pool_id))
    assert text == "A provider with the name Partner already exists in this user pool."
    second = members(pool_id, ProviderName="Second", IdpIdentifiers=["second.example", "partner.example"])
    refused(call, "InvalidParameterException", "CreateIdentityProvider", **second)
    create(call, pool_id, ProviderName="Second")
    taken = {"UserPoolId": pool_id, "ProviderName": "Second", "IdpIdentifiers": ["partner.example"]}
    refused(call, "InvalidParameterException", "UpdateIdentityProvider", **taken)
    call("UpdateIdentityProvider", **taken | {"ProviderName": "Partner", "IdpIdentifiers": []})
    call("UpdateIdentityProvider", **taken)
    found = call("GetIdentityProviderByIdentifier", UserPoolId=pool_id, IdpIdentifier="partner.example")
    assert found["IdentityProvider"]["ProviderName"] == "Second"


def test_an_update_changes_what_it_names(server, call, pool):
    """Each member as a whole; the others stay, the secret among them."""
    pool_id = pool()
    made = create(call, pool_id, IdpIdentifiers=["a"], AcrMapping={"Level1": "low"})
    server.clock.advance(5)
    name = {"UserPoolId": pool_id, "ProviderName": "Partner"}
    same = call("UpdateIdentityProvider", **name)["IdentityProvider"]
    assert same["LastModifiedDate"] > made["LastModifiedDate"]
    assert same | {"LastModifiedDate": made["LastModifiedDate"]} == made
    mapped = call("UpdateIdentityProvider", **name, AttributeMapping={"email": "mail"})["IdentityProvider"]
    assert mapped["AttributeMapping"] == {"username": "sub", "email": "mail"}
    assert mapped["ProviderDetails"] == made["ProviderDetails"]
    details = GIVEN["OIDC"] | {"client_secret": "new-secret", "jwks_uri": "https://idp.example/jwks"}
    changed = call("UpdateIdentityProvider", **name, ProviderDetails=details)["IdentityProvider"]
    assert changed["ProviderDetails"] == details | ADDED["OIDC"]
    assert describe(call, pool_id) == changed
    refused(call, "InvalidParameterException", "UpdateIdentityProvider", **name, ProviderDetails={"client_id": "x"})
    assert describe(call, pool_id) == changed


def test_what_describe_shows_can_be_sent_back(call, pool):
    """A private key, which it does not show, stays."""
    pool_id = pool()
    for kind in GIVEN:
        made = create(call, pool_id, kind, **({"ProviderName": f"My{kind}"} if kind in {"OIDC", "SAML"} else {}))
        name = {"UserPoolId": pool_id, "ProviderName": made["ProviderName"]}
        again = call("UpdateIdentityProvider", **name, ProviderDetails=made["ProviderDetails"])["IdentityProvider"]
        assert again["ProviderDetails"] == made["ProviderDetails"]


def test_secrets_rest_sealed(server, call, pool):
    """The stored record has neither the secret nor the key in the clear; what is sealed has both."""
    from poolhouse.flows.identity_providers import open_provider

    pool_id = pool()
    create(call, pool_id)
    create(call, pool_id, "SignInWithApple")
    stored = server.read(lambda tx: tx.identity_providers.page(pool_id, after=None, limit=9))
    assert [each.name for each in stored] == ["Partner", "SignInWithApple"]
    for provider, secret in zip(stored, ("provider-secret", "apple-key"), strict=True):
        assert secret not in repr(provider)
        assert secret in open_provider(server.deps, provider).provider_details.values()


def test_an_address_of_metadata_is_kept_unread(call, pool):
    """Nothing is fetched, so there are no addresses of its services."""
    given = {"MetadataURL": "https://idp.invalid/metadata", "SSORedirectBindingURI": "https://made.up/"}
    made = create(call, pool(), "SAML", ProviderDetails=given)
    assert made["ProviderDetails"] == {"MetadataURL": "https://idp.invalid/metadata"}
    one_way = create(call, pool(), "SAML", ProviderDetails={"MetadataFile": entity(SIGN_ON)})
    assert "SLORedirectBindingURI" not in one_way["ProviderDetails"]


def test_lists_by_page(call, pool):
    """By name, each once, without details."""
    pool_id = pool()
    made = [create(call, pool_id, ProviderName=f"Idp{number}") for number in range(3)]
    shown = ("ProviderName", "ProviderType", "CreationDate", "LastModifiedDate")
    expected = [{name: each[name] for name in shown} for each in made]
    first = call("ListIdentityProviders", UserPoolId=pool_id, MaxResults=2)
    rest = call("ListIdentityProviders", UserPoolId=pool_id, MaxResults=2, NextToken=first["NextToken"])
    assert (first["Providers"], rest["Providers"]) == (expected[:2], expected[2:])
    assert "NextToken" not in rest
    token = first["NextToken"]
    refused(call, "InvalidParameterException", "ListIdentityProviders", UserPoolId=pool(), NextToken=token)


def test_a_pool_has_300_at_most(server, call, pool):
    """One more is refused."""
    from tests.storage.builders import provider

    pool_id = pool()

    def fill(tx):
        for number in range(300):
            tx.identity_providers.insert(provider(f"Idp{number}", pool_id=pool_id, sealed=None))

    server.write(fill)
    refused(call, "LimitExceededException", "CreateIdentityProvider", **members(pool_id))
    call("DeleteIdentityProvider", UserPoolId=pool_id, ProviderName="Idp7")
    create(call, pool_id)


def test_clients_list_providers_of_their_pool(call, pool, app):
    """And no others; a deleted one disappears from all of them."""
    pool_id, other = pool(), pool()
    create(call, pool_id)
    create(call, other, ProviderName="Elsewhere")
    both = app(pool_id, SupportedIdentityProviders=["COGNITO", "Partner"])
    only = app(pool_id, SupportedIdentityProviders=["Partner"])
    request = {"UserPoolId": pool_id, "ClientName": "x", "SupportedIdentityProviders": ["Elsewhere"]}
    text = refused(call, "InvalidParameterException", "CreateUserPoolClient", **request)
    assert text == f"The provider Elsewhere does not exist for User Pool {pool_id}."
    name = {"UserPoolId": pool_id, "ProviderName": "Partner"}
    assert call("DeleteIdentityProvider", **name) == {}
    listed = [
        call("DescribeUserPoolClient", UserPoolId=pool_id, ClientId=each["ClientId"])["UserPoolClient"]
        for each in (both, only)
    ]
    assert listed[0]["SupportedIdentityProviders"] == ["COGNITO"]
    assert "SupportedIdentityProviders" not in listed[1]


def test_what_is_not_there_is_not_found(call, pool):
    """Neither a deleted provider nor one of another pool, by name or identifier."""
    pool_id = pool()
    create(call, pool_id, IdpIdentifiers=["partner.example"])
    call("DeleteIdentityProvider", UserPoolId=pool_id, ProviderName="Partner")
    create(call, pool(), IdpIdentifiers=["partner.example"])
    for operation in ("Describe", "Update", "Delete"):
        name = {"UserPoolId": pool_id, "ProviderName": "Partner"}
        text = refused(call, "ResourceNotFoundException", f"{operation}IdentityProvider", **name)
        assert text == "Identity provider Partner does not exist."
    known = {"UserPoolId": pool_id, "IdpIdentifier": "partner.example"}
    refused(call, "ResourceNotFoundException", "GetIdentityProviderByIdentifier", **known)
    refused(call, "ResourceNotFoundException", "ListIdentityProviders", UserPoolId="us-east-1_NobodyXYZ")
