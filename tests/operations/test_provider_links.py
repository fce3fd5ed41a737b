"""Linking users to identities at providers, over the wire (spec/api/03 §10, spec/http/06 §6.5)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from poolhouse.core.identities import Identity
from poolhouse.core.provider_links import SUBJECT
from poolhouse.flows.identities import find_user_of
from poolhouse.flows.users import save_user
from poolhouse.model import UserStatusType
from tests.conftest import PASSWORD
from tests.operations.talk import (
    NO_USER,
    OTHER_PASSWORD,
    WRONG_PASSWORD,
    named,
    refusal,
    shown,
    sign_in,
    sign_in_refusal,
)
from tests.operations.test_groups import claims

LINK, DISABLE = "AdminLinkProviderForUser", "AdminDisableProviderForUser"
MERGING = (
    "InvalidParameterException",
    "Merging is not currently supported, provide a SourceUser that has not been signed up in order to link",
)
LINKED = ("InvalidParameterException", "SourceUser is already linked to DestinationUser")
ISSUER = "https://idp.example.org"
GOOGLE = {"client_id": "c", "client_secret": "s", "authorize_scopes": "openid"}
OIDC = {
    "client_id": "c",
    "client_secret": "s",
    "attributes_request_method": "GET",
    "oidc_issuer": ISSUER,
    "authorize_scopes": "openid",
    "authorize_url": f"{ISSUER}/authorize",
    "token_url": f"{ISSUER}/token",
    "attributes_url": f"{ISSUER}/userinfo",
    "jwks_uri": f"{ISSUER}/keys",
}
METADATA = (
    '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:saml">'
    '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><SingleSignOnService'
    ' Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://saml.example.org/"/>'
    "</IDPSSODescriptor></EntityDescriptor>"
)
KINDS = {"Google": ("Google", GOOGLE), "Partner": ("OIDC", OIDC), "Saml": ("SAML", {"MetadataFile": METADATA})}
MAPPING = {"email": "mail", "name": "n", "given_name": "g", "family_name": "f", "nickname": "k", "locale": "l"}


def at(provider, value, attribute=SUBJECT):
    return {"ProviderName": provider, "ProviderAttributeName": attribute, "ProviderAttributeValue": value}


def local(username):
    return {"ProviderName": "Cognito", "ProviderAttributeValue": username}


@pytest.fixture
def pool_id(call, pool):
    """A pool with a social, an OpenID Connect and a SAML provider."""
    made = pool()
    for name, (kind, details) in KINDS.items():
        mapping = {} if kind == "Google" else {"AttributeMapping": MAPPING}
        call(
            "CreateIdentityProvider",
            UserPoolId=made,
            ProviderName=name,
            ProviderType=kind,
            ProviderDetails=details,
            **mapping,
        )
    return made


@pytest.fixture
def link(call, pool_id):
    """Link a user to an identity."""
    return lambda username, source: call(LINK, UserPoolId=pool_id, DestinationUser=local(username), SourceUser=source)


@pytest.fixture
def not_linked(call, pool_id):
    """Why linking is refused."""
    return lambda destination, source: refusal(
        call, LINK, UserPoolId=pool_id, DestinationUser=destination, SourceUser=source
    )


def identities(call, pool_id, username):
    """What a user shows of its identities."""
    return json.loads(named(shown(call, pool_id, username)["UserAttributes"]).get("identities", "[]"))


def federate(server, pool_id, username, provider, subject):
    """Have a user be one who came into being by signing in at a provider, whatever the name."""

    def work(tx):
        user = tx.users.find_by_username(pool_id, username)
        identity = Identity(
            pool_id=pool_id,
            provider=provider,
            attribute=SUBJECT,
            value=subject,
            user_id=user.id,
            primary=True,
            created_at=user.created_at,
        )
        tx.identities.insert(identity)
        save_user(tx, tx.catalogue.find_pool(pool_id), replace(user, status=UserStatusType.EXTERNAL_PROVIDER))

    server.write(work)


def found(server, pool_id, provider, subject, **attributes):
    """The name of the user who a provider's user is, as signing in will find it."""

    def work(tx):
        user = find_user_of(tx, tx.identity_providers.find(pool_id, provider), subject, attributes)
        return user and user.username

    return server.read(work)


def test_a_link_shows(call, pool_id, user, app, link):
    """In the user's attribute with numbers and truths, in ID tokens with strings, for every kind of provider."""
    client, name = app(pool_id), user(pool_id)
    before = shown(call, pool_id, name)["UserLastModifiedDate"]
    for source in (at("Google", "1000"), at("Partner", "AbC"), at("Saml", "ann@x.org", "email")):
        assert link(name, source) == {}
    listed = identities(call, pool_id, name)
    dates = [each.pop("dateCreated") for each in listed]
    assert listed == [
        {"userId": "1000", "providerName": "Google", "providerType": "Google", "issuer": None, "primary": False},
        {"userId": "AbC", "providerName": "Partner", "providerType": "OIDC", "issuer": ISSUER, "primary": False},
        {"userId": "ann@x.org", "providerName": "Saml", "providerType": "SAML", "issuer": "urn:saml", "primary": False},
    ]
    assert all(isinstance(date, int) for date in dates)
    assert shown(call, pool_id, name)["UserLastModifiedDate"] > before
    made = sign_in(call, client, name)
    said = claims(made["IdToken"])
    assert said["identities"][1] == {
        "userId": "AbC",
        "providerName": "Partner",
        "providerType": "OIDC",
        "issuer": ISSUER,
        "primary": "false",
        "dateCreated": str(dates[1]),
    }
    order = list(said)
    assert order.index("aud") + 1 == order.index("identities")
    assert said["cognito:username"] == name
    assert "identities" not in claims(made["AccessToken"])
    own = named(call("GetUser", AccessToken=made["AccessToken"])["UserAttributes"])["identities"]
    others = named(call("ListUsers", UserPoolId=pool_id)["Users"][0]["Attributes"])["identities"]
    asked = call("ListUsers", UserPoolId=pool_id, AttributesToGet=["identities"])["Users"][0]["Attributes"]
    assert asked == [{"Name": "identities", "Value": others}]
    assert json.loads(own) == json.loads(others) == identities(call, pool_id, name)


def test_the_claim_is_no_attribute(call, pool_id, user, app, link):
    """GetUser follows the client's ReadAttributes, which cannot name it; the ID token tells it (spec/http/04 §4.2)."""
    client, name = app(pool_id, ReadAttributes=["email"]), user(pool_id)
    link(name, at("Google", "1000"))
    made = sign_in(call, client, name)
    assert [each["userId"] for each in claims(made["IdToken"])["identities"]] == ["1000"]
    assert "identities" not in named(call("GetUser", AccessToken=made["AccessToken"])["UserAttributes"])


def test_a_linked_identity_means_its_user(call, server, pool_id, user, link):
    """By subject first, then by attributes that links use; exactly, at this provider, until it is unlinked."""
    ann, bob = user(pool_id), user(pool_id)
    link(ann, at("Partner", "AbC"))
    link(bob, at("Partner", "ann@x.org", "email"))
    assert found(server, pool_id, "Partner", "AbC") == ann
    assert found(server, pool_id, "Partner", "AbC", email="ann@x.org") == ann
    assert found(server, pool_id, "Partner", "x", email="ann@x.org", name="Ann") == bob
    for subject, attributes in (("abc", {}), ("ann@x.org", {}), ("x", {"email": "Ann@x.org"}), ("x", {"name": "AbC"})):
        assert found(server, pool_id, "Partner", subject, **attributes) is None
    assert found(server, pool_id, "Saml", "AbC", email="ann@x.org") is None
    call(DISABLE, UserPoolId=pool_id, User=at("Partner", "AbC"))
    assert found(server, pool_id, "Partner", "AbC") is None
    assert identities(call, pool_id, ann) == []
    assert [each["userId"] for each in identities(call, pool_id, bob)] == ["ann@x.org"]
    assert refusal(call, DISABLE, UserPoolId=pool_id, User=at("Partner", "AbC")) == NO_USER
    link(bob, at("Partner", "AbC"))
    assert found(server, pool_id, "Partner", "AbC") == bob


def test_an_identity_has_one_user(pool_id, user, link, not_linked):
    """Linking twice is told by whose it is."""
    ann, bob = user(pool_id), user(pool_id)
    link(ann, at("Google", "1000"))
    assert not_linked(local(ann), at("Google", "1000")) == LINKED
    assert not_linked(local(bob), at("Google", "1000"))[0] == "AliasExistsException"


def test_a_user_who_is_not_there(pool_id, user, not_linked):
    """Neither an alias nor a sub is a user name, and nobody became a user at the provider yet."""
    name = user(pool_id, email="ann@x.org", email_verified="true")
    for username in ("nobody", "ann@x.org", "\0", "x" * 256):
        assert not_linked(local(username), at("Google", "1")) == NO_USER
    assert not_linked(at("Google", name), at("Partner", "1")) == NO_USER


@pytest.mark.parametrize(
    "source",
    [
        at("Unknown", "1"),
        at("google", "1"),
        local("ann"),
        at("Google", "1", "email"),
        at("Google", "1", "sub"),
        at("Partner", "1", "birthdate"),
        at("Partner", "1", "username"),
        at("Partner", "1", "cognito_subject"),
        at("Partner", "1", ""),
        at("Partner", ""),
        at("Partner", "x" * 257),
        {"ProviderName": "Partner", "ProviderAttributeValue": "1"},
        {"ProviderName": "Partner", "ProviderAttributeName": SUBJECT},
        {"ProviderAttributeName": SUBJECT, "ProviderAttributeValue": "1"},
        {},
    ],
)
def test_sources_that_are_none(call, pool_id, user, not_linked, source):
    """Only users of the pool's providers can be linked, told by their subject or by an attribute that is mapped."""
    name = user(pool_id)
    assert not_linked(local(name), source)[0] == "InvalidParameterException"
    assert identities(call, pool_id, name) == []


@pytest.mark.parametrize("destination", [{}, {"ProviderName": "Cognito"}, {"ProviderAttributeValue": "x"}, local("")])
def test_destinations_that_are_none(not_linked, destination):
    """A destination needs a provider and a value."""
    assert not_linked(destination, at("Google", "1"))[0] == "InvalidParameterException"


@pytest.mark.parametrize("value", ["a/b:c", "é" * 256, "🙂\"'\\", " "])
def test_values_are_any_text(call, server, pool_id, user, link, value):
    """As a provider gives them: found and shown as they are, five of the longest too."""
    name = user(pool_id)
    for attribute in (SUBJECT, "email", "name", "locale", "nickname"):
        link(name, at("Partner", value, attribute))
    assert found(server, pool_id, "Partner", value) == name
    assert [each["userId"] for each in identities(call, pool_id, name)] == [value] * 5


def test_an_unknown_pool(call, user, pool_id):
    """Is said first of all."""
    members = {"DestinationUser": local("x"), "SourceUser": {}}
    for unknown in ("us-east-1_000000000", "", "\0", "x" * 5000):
        assert refusal(call, LINK, UserPoolId=unknown, **members)[0] == "ResourceNotFoundException"
        assert refusal(call, DISABLE, UserPoolId=unknown, User={})[0] == "ResourceNotFoundException"


def test_five_identities_are_a_users_most(call, pool_id, user, link, not_linked):
    """A sixth is refused, also of those asked for at once; one that goes makes room (spec/http/09 X22)."""
    name = user(pool_id)

    def attempt(number):
        try:
            link(name, at("Google", str(number)))
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(attempt, range(8)))
    assert sorted(filter(None, answers)) == ["LimitExceededException"] * 3
    assert len(identities(call, pool_id, name)) == 5
    free = answers.index(None)
    call(DISABLE, UserPoolId=pool_id, User=at("Google", str(free)))
    link(name, at("Saml", "x"))
    assert not_linked(local(name), at("Saml", "y"))[0] == "LimitExceededException"


def test_five_attributes_are_a_providers_most(pool_id, user, link, not_linked):
    """A sixth attribute name is refused; those in use may be used by everybody (spec/http/06 §6.5)."""
    ann, bob = user(pool_id), user(pool_id)
    for attribute in ("email", "name", "given_name", "family_name", "nickname"):
        link(ann, at("Partner", "x", attribute))
    for attribute in ("locale", SUBJECT):
        assert not_linked(local(bob), at("Partner", "y", attribute))[0] == "LimitExceededException"
    link(bob, at("Partner", "y", "email"))
    link(bob, at("Saml", "y", "locale"))


def test_who_signed_up_by_a_provider_is_no_source(call, server, pool_id, user, not_linked, link):
    """Whether known by its identity or by its name alone, it has to be deleted first (the text is Cognito's)."""
    ann, federated = user(pool_id), user(pool_id)
    federate(server, pool_id, federated, "Google", "1000")
    user(pool_id, "Google_2000")
    for subject in ("1000", "2000"):
        assert not_linked(local(ann), at("Google", subject)) == MERGING
    call("AdminDeleteUser", UserPoolId=pool_id, Username=federated)
    link(ann, at("Google", "1000"))
    assert found(server, pool_id, "Google", "1000") == ann


def test_who_signed_up_by_a_provider_is_a_destination(call, server, pool_id, user, not_linked):
    """Named by provider and subject; its first identity does not count as linked, and stays the primary one."""
    name = user(pool_id)
    federate(server, pool_id, name, "Google", "1000")
    for number in range(5):
        source = at("Partner", str(number))
        call(LINK, UserPoolId=pool_id, DestinationUser=at("Google", "1000"), SourceUser=source)
    listed = identities(call, pool_id, name)
    assert [each["primary"] for each in listed] == [True, *[False] * 5]
    assert not_linked(at("Google", "1000"), at("Partner", "x"))[0] == "LimitExceededException"
    assert not_linked(at("Partner", "1"), at("Saml", "x")) == NO_USER


def test_disabling_who_signed_up_by_a_provider(call, server, pool_id, user, app):
    """Ends its tokens and bars it, and it keeps its identity."""
    client, name = app(pool_id), user(pool_id)
    made = sign_in(call, client, name)
    federate(server, pool_id, name, "Google", "1000")
    call(DISABLE, UserPoolId=pool_id, User=at("Google", "1000"))
    assert shown(call, pool_id, name)["Enabled"] is False
    assert refusal(call, "GetUser", AccessToken=made["AccessToken"]) == ("NotAuthorizedException", "User is disabled.")
    assert found(server, pool_id, "Google", "1000") == name


def test_disabling_a_user_of_the_pool_bars_its_password(call, pool_id, user, app, link, inbox):
    """Nothing else of it: tokens and links stay, no code brings a password, an administrator does (spec/api/03 §10)."""
    client = app(pool_id)
    name = user(pool_id, email="barred@example.org", email_verified="true")
    link(name, at("Google", "1000"))
    made = sign_in(call, client, name)
    reset = {"ClientId": client["ClientId"], "Username": name}
    call("ForgotPassword", **reset)
    code = inbox("barred@example.org")[-1].code
    assert call(DISABLE, UserPoolId=pool_id, User=at("Cognito", name)) == {}
    assert shown(call, pool_id, name)["UserStatus"] == "EXTERNAL_PROVIDER"
    assert shown(call, pool_id, name)["Enabled"] is True
    assert sign_in_refusal(call, client, name) == WRONG_PASSWORD
    text = "User password cannot be reset in the current state."
    assert refusal(call, "ForgotPassword", **reset) == ("NotAuthorizedException", text)
    late = {**reset, "ConfirmationCode": code, "Password": OTHER_PASSWORD}
    assert refusal(call, "ConfirmForgotPassword", **late)[0] in {"ExpiredCodeException", "CodeMismatchException"}
    assert sign_in_refusal(call, client, name, OTHER_PASSWORD) == WRONG_PASSWORD
    assert call("GetUser", AccessToken=made["AccessToken"])["Username"] == name
    assert len(identities(call, pool_id, name)) == 1
    call("AdminSetUserPassword", UserPoolId=pool_id, Username=name, Password=PASSWORD, Permanent=True)
    assert sign_in(call, client, name)


@pytest.mark.parametrize(
    "who",
    [
        {},
        local("NAME"),
        at("Cognito", "NAME", "username"),
        at("Unknown", "1"),
        at("Google", "1", "email"),
        at("Google", ""),
    ],
)
def test_what_names_nobody_disables_nobody(call, pool_id, user, app, who):
    """Provider and attribute are checked as for linking."""
    name = user(pool_id)
    given = {key: value.replace("NAME", name) for key, value in who.items()}
    assert refusal(call, DISABLE, UserPoolId=pool_id, User=given)[0] == "InvalidParameterException"
    for nobody in (at("Cognito", "nobody"), at("Google", "1"), at("Partner", "1", "email"), at("Google", "\0")):
        assert refusal(call, DISABLE, UserPoolId=pool_id, User=nobody) == NO_USER
    assert sign_in(call, app(pool_id), name)


def test_identities_are_not_written_otherwise(call, pool_id, user, link):
    """Nobody sets or deletes them as an attribute (spec/http/06 §6.5); other changes leave them."""
    name = user(pool_id)
    link(name, at("Google", "1000"))
    owner = {"UserPoolId": pool_id, "Username": name}
    for operation, members in (
        ("AdminUpdateUserAttributes", {"UserAttributes": [{"Name": "identities", "Value": "[]"}]}),
        ("AdminDeleteUserAttributes", {"UserAttributeNames": ["identities"]}),
    ):
        assert refusal(call, operation, **owner, **members)[0] == "InvalidParameterException"
    call("AdminUpdateUserAttributes", **owner, UserAttributes=[{"Name": "name", "Value": "Ann"}])
    assert [each["userId"] for each in identities(call, pool_id, name)] == ["1000"]


def test_a_provider_that_goes_takes_its_identities_along(call, server, pool_id, user, link, not_linked):
    """They count no more at once and show no more after a sweep; a provider of the same name knows nobody."""
    name = user(pool_id)
    for number in range(4):
        link(name, at("Google", str(number)))
    link(name, at("Partner", "x"))
    call("DeleteIdentityProvider", UserPoolId=pool_id, ProviderName="Google")
    assert not_linked(local(name), at("Google", "1"))[0] == "InvalidParameterException"
    link(name, at("Partner", "y"))
    assert [each["userId"] for each in identities(call, pool_id, name)] == ["x", "y"]
    members = {"UserPoolId": pool_id, "ProviderName": "Google", "ProviderType": "Google", "ProviderDetails": GOOGLE}
    call("CreateIdentityProvider", **members)
    assert found(server, pool_id, "Google", "1") is None
    link(name, at("Google", "1"))
    assert found(server, pool_id, "Google", "1") == name


def test_usernames_fold_where_the_pool_folds(call, pool, user):
    """The destination is found in any case, subjects stay exact (spec/api/03 §11)."""
    pool_id = pool(UsernameConfiguration={"CaseSensitive": False})
    members = {"ProviderName": "Google", "ProviderType": "Google", "ProviderDetails": GOOGLE}
    call("CreateIdentityProvider", UserPoolId=pool_id, **members)
    user(pool_id, "Ann")
    for value in ("AbC", "abc"):
        call(LINK, UserPoolId=pool_id, DestinationUser=local("ANN"), SourceUser=at("Google", value))
    assert [each["userId"] for each in identities(call, pool_id, "ann")] == ["AbC", "abc"]
    user(pool_id, "google_xyz")
    source = at("Google", "XyZ")
    assert refusal(call, LINK, UserPoolId=pool_id, DestinationUser=local("ann"), SourceUser=source) == MERGING
