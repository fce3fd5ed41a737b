"""Token exchange at the token endpoint (RFC 8693; spec/http/02 §2.2.4)."""

import pytest

from tests.oauth.conftest import Site, claims

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
ACCESS, IDENTITY, SAML = f"{TYPE}access_token", f"{TYPE}id_token", f"{TYPE}saml2"


@pytest.fixture
def exchanger(site: Site) -> tuple[str, str]:
    """The id and the secret of a client that exchanges tokens in both ways."""
    flows = ["ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION"]
    client = site.app(GenerateSecret=True, ExplicitAuthFlows=flows, AllowedOAuthScopes=["openid", "rs/read"])
    return client["ClientId"], client["ClientSecret"]


def form(token: str, **changes: str | None) -> dict[str, str | None]:
    return {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS} | changes


def test_tokens_are_exchanged_for_narrower_ones(site: Site, exchanger):
    """An access token comes with its type and the scopes that it has, for the audience that was asked for."""
    tokens = site.tokens(scope="openid email rs/read")
    answer = site.post(
        "/oauth2/token", form(tokens["access_token"], scope="rs/read email", audience="mail"), auth=exchanger
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    made = claims(body.pop("access_token"))
    assert body == {"issued_token_type": ACCESS, "token_type": "Bearer", "expires_in": 3600, "scope": "rs/read"}
    assert (made["scope"], made["aud"], made["client_id"], made["version"]) == ("rs/read", "mail", exchanger[0], 2)
    assert made["origin_jti"] == claims(tokens["access_token"])["origin_jti"]


def test_actors_and_id_tokens(site: Site, exchanger):
    """An actor is named in ``act``; an ID token is none to bear."""
    tokens, actor = site.tokens(), site.machine().json()["access_token"]
    asked = form(
        tokens["id_token"],
        subject_token_type=IDENTITY,
        actor_token=actor,
        actor_token_type=ACCESS,
        requested_token_type=IDENTITY,
    )
    body = site.post("/oauth2/token", asked, auth=exchanger).json()
    made = claims(body["access_token"])
    assert (body["issued_token_type"], body["token_type"]) == (IDENTITY, "N_A")
    assert (made["act"], made["token_use"], made["email"]) == ({"sub": site.m}, "id", site.email)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "access_token"}, "invalid_request"),
        ({"subject_token_type": SAML}, "invalid_request"),
        ({"requested_token_type": SAML}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token_type": ACCESS}, "invalid_request"),
        ({"audience": "a", "resource": "rs"}, "invalid_request"),
        ({"resource": "none"}, "invalid_target"),
        ({"scope": '"'}, "invalid_scope"),
        ({"subject_token": "x"}, "invalid_grant"),
        ({"subject_token_type": IDENTITY}, "invalid_grant"),
    ],
)
def test_what_is_wrong_is_told(site: Site, exchanger, changes, error):
    """Refusals are the standard's codes (RFC 8693 §2.2.2)."""
    answer = site.post("/oauth2/token", form(site.tokens()["access_token"], **changes), auth=exchanger)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_other_clients_do_not_exchange(site: Site, exchanger):
    """The client must prove itself and have the flow that the request needs."""
    tokens = site.tokens()
    asked = form(tokens["access_token"])
    refused = lambda **more: site.post("/oauth2/token", asked | more.pop("form", {}), **more).json()["error"]
    assert refused(auth=(exchanger[0], "x" * 30)) == "invalid_client"
    assert refused(form={"client_id": site.a}) == "unauthorized_client"
    one_way = site.app(ExplicitAuthFlows=["ALLOW_TOKEN_EXCHANGE_DELEGATION"])["ClientId"]
    assert refused(form={"client_id": one_way}) == "unauthorized_client"


def test_revoked_tokens_are_not_exchanged(site: Site, exchanger):
    """A token that was revoked gives nothing."""
    tokens = site.tokens()
    site.revoke(tokens["refresh_token"])
    answer = site.post("/oauth2/token", form(tokens["access_token"]), auth=exchanger)
    assert answer.json() == {"error": "invalid_grant"}
