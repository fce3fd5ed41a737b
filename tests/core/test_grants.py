"""The rules of OAuth 2.0, by themselves."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from poolhouse.core import grants
from poolhouse.core.client import Client, ClientSecret
from poolhouse.core.grants import OAuthError, ResponseType
from poolhouse.model import OAuthFlowType, ResourceServerScopeType, ResourceServerType, UserPoolClientType

CALLBACK = "https://app.example/cb"
SCOPES = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin", "rs/read"]


def client(**settings) -> Client:
    values = {
        "callback_urls": [CALLBACK],
        "allowed_oauth_flows": [OAuthFlowType.code],
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_scopes": SCOPES,
        "supported_identity_providers": ["COGNITO"],
    } | settings
    return Client(id="client", pool_id="us-east-1_a", settings=UserPoolClientType(**values))


def servers(*scopes: str) -> list[ResourceServerType]:
    listed = [ResourceServerScopeType(scope_name=scope, scope_description=scope) for scope in scopes]
    return [ResourceServerType(identifier="rs", scopes=listed)]


def refusal(function, *arguments) -> str:
    with pytest.raises(OAuthError) as raised:
        function(*arguments)
    return raised.value.error


# Redirect URIs.


def test_only_the_registered_text_matches():
    """A registered URI matches itself."""
    assert grants.is_registered(CALLBACK, [CALLBACK])


@given(st.text(max_size=80))
def test_no_other_text_matches(other: str):
    """Whatever differs from the registered URI in one character is another URI."""
    assume(other != CALLBACK)
    assert not grants.is_registered(other, [CALLBACK])


@given(st.integers(0, len(CALLBACK)), st.text(min_size=1, max_size=3))
def test_an_inserted_text_never_matches(position: int, inserted: str):
    """A registered URI with anything inserted anywhere does not match."""
    assert not grants.is_registered(CALLBACK[:position] + inserted + CALLBACK[position:], [CALLBACK])


def test_nothing_matches_an_empty_list():
    """Without registered URIs, none is trusted at first sight."""
    assert not grants.is_registered(CALLBACK, [])


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example",
        "https://app.example/cb?a=b",
        "http://localhost:3000",
        "http://127.0.0.1:8/x",
        "http://[::1]/",
        "http://localhost/cb",
        "myapp://cb",
        "com.example.app:/cb",
        "https://app.example/%2e%2e/cb",
    ],
)
def test_a_browser_may_be_sent_there(uri: str):
    """Absolute URIs over https, to loopback, and of an application's own scheme are fit for redirects."""
    assert grants.is_redirectable(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/cb",
        "//evil.example",
        "app.example/cb",
        "https:",
        "https:/app.example",
        "https:app.example",
        "https://",
        "https:///cb",
        "http://app.example/cb",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "https://app.example@evil.example/cb",
        "https://app.example/cb#fragment",
        "https://app.example\\@evil.example/",
        "https:\\\\evil.example",
        "https://app.example/c b",
        "https://app.example/cb\r\nSet-Cookie: a=b",
        "https://app.example/\u2028",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "JAVASCRIPT://app.example/%0aalert(1)",
        "data:text/html,x",
        "DATA:text/html;base64,eA==",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "https://[::1",
        "https://a:b:c/",
        "https://app.example:99999/",
        "1app://cb",
        "*://cb",
    ],
)
def test_a_browser_is_not_sent_there(uri: str):
    """Relative, plain http, ambiguous and active URIs are refused, though they be registered."""
    assert not grants.is_redirectable(uri)
    assert not grants.is_registered(uri, [uri])


def test_urls_of_a_client_barred_from_oauth_do_not_count():
    """While a client may not use OAuth, its stored URLs are not used."""
    barred = client(allowed_oauth_flows_user_pool_client=False, logout_urls=[CALLBACK])
    assert grants.callback_urls(barred) == grants.logout_urls(barred) == ()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, CALLBACK),
        ({"callback_urls": [CALLBACK, "https://b.example"]}, None),
        (
            {"callback_urls": [CALLBACK, "https://b.example"], "default_redirect_uri": "https://b.example"},
            "https://b.example",
        ),
        ({"supported_identity_providers": ["COGNITO", "Google"]}, None),
        ({"supported_identity_providers": None}, None),
        ({"callback_urls": None}, None),
    ],
)
def test_the_redirect_uri_of_a_request_without_one(settings, expected):
    """A client with one identity provider has a redirect URI of its own accord: its only one, or its default."""
    assert grants.find_default_redirect(client(**settings)) == expected


# Response types.


def test_response_types():
    """Only the two simple response types exist, and each needs its flow."""
    both = client(allowed_oauth_flows=[OAuthFlowType.code, OAuthFlowType.implicit])
    assert grants.get_response_type(both, "code") is ResponseType.CODE
    assert grants.get_response_type(both, "token") is ResponseType.TOKEN
    for unknown in (None, "", "id_token", "code id_token", "CODE", "code token"):
        assert refusal(grants.get_response_type, both, unknown) == "invalid_request"
    assert refusal(grants.get_response_type, client(), "token") == "unauthorized_client"
    barred = client(allowed_oauth_flows_user_pool_client=None)
    assert refusal(grants.get_response_type, barred, "code") == "unauthorized_client"


# PKCE.

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_the_rfc():
    """The example of RFC 7636 appendix B holds."""
    assert grants.is_verified(CHALLENGE, VERIFIER)


@given(st.text(max_size=130))
def test_no_other_verifier_fits(verifier: str):
    """Any other verifier is refused, whatever its characters."""
    assume(verifier != VERIFIER)
    assert not grants.is_verified(CHALLENGE, verifier)


def test_challenge_and_verifier_come_together():
    """A missing verifier is refused, and so is a verifier whose challenge got lost."""
    assert not grants.is_verified(CHALLENGE, None)
    assert not grants.is_verified(None, VERIFIER)
    assert grants.is_verified(None, None)


def test_challenges():
    """S256 with a challenge of the right make is accepted, so is no PKCE; nothing else."""
    grants.check_challenge(None, None)
    grants.check_challenge(CHALLENGE, "S256")
    for challenge, method in [
        (CHALLENGE, None),
        (None, "S256"),
        (CHALLENGE, "plain"),
        (CHALLENGE, "s256"),
        (CHALLENGE[:42], "S256"),
        (CHALLENGE + "=", "S256"),
        ("ä" * 43, "S256"),
        (CHALLENGE + "\n", "S256"),
        ("a" * 129, "S256"),
    ]:
        assert refusal(grants.check_challenge, challenge, method) == "invalid_request"


# Scopes.


def test_scopes_of_a_request():
    """A request gets the scopes it names, once each and in its order."""
    assert grants.granted_scopes(client(), servers("read"), "rs/read openid  email openid") == (
        "rs/read",
        "openid",
        "email",
    )


def test_scopes_of_a_request_without_any():
    """A request that names none gets all of the client's."""
    assert grants.granted_scopes(client(), servers("read"), None) == tuple(SCOPES)


@pytest.mark.parametrize(
    "scope",
    [
        "openid nosuch/scope",
        "openid offline_access",
        "email",
        "profile rs/read",
        "OPENID",
        " ",
        'openid "',
        "openid\n",
        "openid\u00a0email",
        "rs/write",
    ],
)
def test_scopes_refused(scope: str):
    """Unknown and malformed scopes are refused, and those of OpenID without ``openid``."""
    assert refusal(grants.granted_scopes, client(), servers("read", "write"), scope) == "invalid_scope"


def test_a_scope_that_its_server_lost():
    """A scope of the client that is gone from its resource server is no error, and not granted."""
    assert grants.granted_scopes(client(), servers(), "openid rs/read") == ("openid",)
    assert grants.granted_scopes(client(), [], None) == tuple(SCOPES[:-1])


@given(st.lists(st.sampled_from([*SCOPES, "rs/write", "x/y"])), st.sets(st.sampled_from(SCOPES)))
def test_nothing_is_granted_that_is_not_the_clients(requested: list[str], allowed: set[str]):
    """Whatever is asked for, what is granted is asked for and allowed."""
    try:
        granted = grants.granted_scopes(
            client(allowed_oauth_scopes=sorted(allowed)), servers("read", "write"), " ".join(requested)
        )
    except OAuthError:
        return
    assert set(granted) <= set(requested) & allowed


def test_scopes_of_machines():
    """A machine gets custom scopes only; one that is not its own and one that does not exist are told apart."""
    machine = client(allowed_oauth_scopes=["openid", "rs/read", "rs/gone"])
    known = servers("read", "write")
    assert grants.machine_scopes(machine, known, None) == ("rs/read",)
    assert grants.machine_scopes(machine, known, "rs/read") == ("rs/read",)
    assert grants.machine_scopes(machine, known, "rs/read rs/gone") == ("rs/read",)
    assert refusal(grants.machine_scopes, machine, known, "rs/write") == "invalid_grant"
    assert refusal(grants.machine_scopes, machine, known, "rs/nosuch") == "invalid_scope"
    assert refusal(grants.machine_scopes, machine, known, "openid") == "invalid_scope"


def test_scopes_and_read_permissions():
    """A scope needs all of its attributes to be readable."""
    grants.check_readable(client(), SCOPES)
    grants.check_readable(client(read_attributes=["email", "email_verified"]), ["openid", "email", "rs/read"])
    grants.check_readable(client(read_attributes=["oidc:profile"]), ["openid", "profile"])
    assert refusal(grants.check_readable, client(read_attributes=["email"]), ["openid", "email"]) == "invalid_grant"
    assert refusal(grants.check_readable, client(read_attributes=["name"]), ["openid", "profile"]) == "invalid_grant"


# The rest.


@pytest.mark.parametrize(
    "resource", [None, "https://api.example", "https://api.example/v1?x=y", "http://localhost:8080", "myapp://api"]
)
def test_resources(resource):
    """Tokens can be bound to URLs over https, on this machine, and of an application's own scheme."""
    grants.check_resource(resource)


@pytest.mark.parametrize(
    "resource",
    [
        "api",
        "http://api.example",
        "http://127.0.0.1/",
        "http://localhost.evil.example",
        "https://api.example#x",
        "javascript:x",
    ],
)
def test_resources_refused(resource):
    """Other values of ``resource`` are refused."""
    assert refusal(grants.check_resource, resource) == "invalid_request"


def test_prompts():
    """``none`` goes with nothing else."""
    assert grants.get_prompts(None) == frozenset()
    assert grants.get_prompts("login consent") == {"login", "consent"}
    assert grants.get_prompts("none none") == {"none"}
    assert refusal(grants.get_prompts, "none login") == "invalid_request"


def test_max_age():
    """``max_age`` is a number of seconds."""
    assert grants.get_max_age(None) is None
    assert grants.get_max_age("0") == 0
    assert grants.get_max_age("3600") == 3600
    for value in ("-1", "1.5", "x", "٣", "9" * 13):
        assert refusal(grants.get_max_age, value) == "invalid_request"


def test_who_may_ask_for_tokens_of_its_own():
    """Client credentials need a secret, and the flow or the permission for tokens without a domain."""
    secret = (ClientSecret(id="client--1", sealed=b"x", created_at=0),)
    machine = client(allowed_oauth_flows=[OAuthFlowType.client_credentials])
    assert not grants.is_machine(machine)
    assert grants.is_machine(replace(machine, secrets=secret))
    assert not grants.is_machine(replace(client(), secrets=secret))
    api_only = client(allowed_oauth_flows_user_pool_client=False, explicit_auth_flows=["ALLOW_CLIENT_TOKEN_AUTH"])
    assert grants.is_machine(replace(api_only, secrets=secret))


def test_who_may_refresh():
    """Refreshing needs its flow, or rotation, which excludes the flow."""
    from poolhouse.model import ExplicitAuthFlowsType, FeatureType, RefreshTokenRotationType

    assert grants.is_refreshing(client())
    without = client(explicit_auth_flows=[ExplicitAuthFlowsType.ALLOW_USER_SRP_AUTH])
    assert not grants.is_refreshing(without)
    rotation = RefreshTokenRotationType(feature=FeatureType.ENABLED)
    rotating = replace(without, settings=replace(without.settings, refresh_token_rotation=rotation))
    assert grants.is_refreshing(rotating)
