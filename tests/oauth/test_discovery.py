"""The documents at the issuer and the hosts of pool domains: rows D of spec/http/09."""

import asyncio
import base64
from dataclasses import replace

import httpx
from msgspec.structs import replace as changed

from poolhouse.core.pool import Pool
from poolhouse.model import IssuerConfigurationType
from poolhouse.oauth.discovery import configuration
from poolhouse.storage import open_store
from tests.oauth.conftest import Site, claims, header

DOMAIN = "auth.example.com"


def configuration_of(site: Site) -> dict:
    answer = site.http.get(f"{site.issuer}/.well-known/openid-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.json()


def stored_pool(site: Site) -> Pool:
    return site.server.read(lambda tx: tx.catalogue.find_pool(site.pool_id))


def test_d1_configuration(site: Site):
    """The document says who issues and how it signs; the issuer is that of the tokens."""
    document = configuration_of(site)
    assert document["issuer"] == claims(site.tokens()["id_token"])["iss"] == site.issuer
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["response_types_supported"] == ["code", "token"]
    assert document["subject_types_supported"] == ["public"]


def test_d2_endpoints(site: Site):
    """Endpoints are on the pool's domain, keys at the issuer."""
    document = configuration_of(site)
    assert document["authorization_endpoint"] == f"{site.base}/oauth2/authorize"
    assert document["token_endpoint"] == f"{site.base}/oauth2/token"
    assert document["userinfo_endpoint"] == f"{site.base}/oauth2/userInfo"
    assert document["revocation_endpoint"] == f"{site.base}/oauth2/revoke"
    assert document["jwks_uri"] == f"{site.issuer}/.well-known/jwks.json"


def test_d3_end_session_endpoint(site: Site):
    """The sign-out endpoint is named."""
    assert configuration_of(site)["end_session_endpoint"] == f"{site.base}/logout"


def test_d4_strict_mode(site: Site):
    """Cognito does not advertise PKCE; we do, but not in strict mode."""
    identity, pool = site.server.deps.identity, stored_pool(site)
    assert configuration(identity, pool)["code_challenge_methods_supported"] == ["S256"]
    assert "code_challenge_methods_supported" not in configuration(replace(identity, strict=True), pool)


def test_d5_prefix_and_custom_domain(site: Site):
    """With both kinds of domain, the custom one alone is named, at once."""
    before = configuration_of(site)
    assert site.prefix in before["token_endpoint"]
    certificate = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-4000-8000-000000000000"
    name = f"{site.prefix}.{DOMAIN}"
    site.call(
        "CreateUserPoolDomain",
        UserPoolId=site.pool_id,
        Domain=name,
        CustomDomainConfig={"CertificateArn": certificate},
    )
    document = configuration_of(site)
    assert document["token_endpoint"] == f"{site.server.url}/auth/{name}/oauth2/token"
    assert f"/auth/{site.prefix}/" not in str(document)


def test_d6_pool_without_domain(site: Site, pool):
    """A pool without a domain has the document; its endpoints are named below the issuer."""
    issuer = f"{site.server.url}/{pool()}"
    document = site.http.get(f"{issuer}/.well-known/openid-configuration").json()
    assert document["authorization_endpoint"] == f"{issuer}/authorize"
    assert document["token_endpoint"] == f"{issuer}/token"


def test_d7_keys(site: Site):
    """There are two RSA keys, with just the documented members."""
    answer = site.http.get(f"{site.issuer}/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert len(keys) == 2
    for key in keys:
        assert list(key) == ["alg", "e", "kid", "kty", "n", "use"]
        assert (key["alg"], key["kty"], key["use"], key["e"]) == ("RS256", "RSA", "sig", "AQAB")
        assert len(base64.b64decode(key["kid"], validate=True)) == 32
    assert answer.headers["cache-control"] == "public, max-age=86400"


def test_d8_a_key_for_each_kind_of_token(site: Site):
    """ID and access tokens are signed with different keys, both published."""
    tokens = site.tokens()
    kids = {header(tokens["id_token"])["kid"], header(tokens["access_token"])["kid"]}
    published = {key["kid"] for key in site.http.get(f"{site.issuer}/.well-known/jwks.json").json()["keys"]}
    assert len(kids) == 2
    assert kids == published


def test_d9_no_discovery_on_the_domain(site: Site):
    """A pool domain has no documents."""
    assert site.get("/.well-known/openid-configuration").status_code == 404


def test_d10_unknown_path(site: Site):
    """An unknown path of a pool domain is a JSON 404 of 63 bytes."""
    answer = site.get("/favicon.ico")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert len(answer.content) == 63


def test_d13_unknown_pool(site: Site):
    """An unknown pool has no documents."""
    for document in ("openid-configuration", "jwks.json"):
        answer = site.http.get(f"{site.server.url}/us-east-1_Nosuch123/.well-known/{document}")
        assert answer.status_code == 404
        assert answer.json() == {"message": "User pool us-east-1_Nosuch123 does not exist."}


def test_d14_issuers_of_aws(site: Site):
    """With the issuer set to ``aws``, the pool's configuration chooses between the two hosts that verifiers know."""
    identity, pool = replace(site.server.deps.identity, issuer="aws"), stored_pool(site)
    original = f"https://cognito-idp.us-east-1.amazonaws.com/{site.pool_id}"
    assert configuration(identity, pool)["issuer"] == original
    updated = changed(
        pool, settings=changed(pool.settings, issuer_configuration=IssuerConfigurationType(type="UPDATED"))
    )
    document = configuration(identity, updated)
    assert document["issuer"] == f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{site.pool_id}"
    assert document["jwks_uri"] == f"{document['issuer']}/.well-known/jwks.json"


def test_discovery_answers_get_only(site: Site):
    """The documents cannot be posted to."""
    assert site.http.post(f"{site.issuer}/.well-known/jwks.json").status_code == 405


def by_host(site: Site, host: str, path: str = "/oauth2/authorize") -> httpx.Response:
    return site.http.get(site.server.url + path, headers={"host": host})


def test_prefix_domain_by_host(site: Site):
    """A prefix domain answers at the root of its own local host, with URLs of that host."""
    port = site.server.settings.port
    answer = by_host(site, f"{site.prefix}.auth.localhost:{port}")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"http://{site.prefix}.auth.localhost:{port}/error?error=")
    assert by_host(site, f"{site.prefix.upper()}.AUTH.localhost").status_code == 302


def test_the_port_in_a_host_header_is_not_believed(site: Site):
    """URLs come from the settings, not from what a request says."""
    location = by_host(site, f"{site.prefix}.auth.localhost:1").headers["location"]
    assert f".auth.localhost:{site.server.settings.port}/" in location


def test_custom_domain_by_host(site: Site):
    """A custom domain answers at the root of its host, and no name that only looks like it."""
    certificate = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-4000-8000-000000000000"
    name = f"{site.prefix}.{DOMAIN}"
    site.call(
        "CreateUserPoolDomain",
        UserPoolId=site.pool_id,
        Domain=name,
        CustomDomainConfig={"CertificateArn": certificate},
    )
    assert by_host(site, name).status_code == 302
    assert by_host(site, f"x.{name}").status_code == 404
    assert by_host(site, f"{name}.auth.localhost").status_code == 404
    assert site.http.get(f"{site.server.url}/auth/{name}/oauth2/authorize").status_code == 302


def test_unknown_domains(site: Site):
    """What is not a domain is not found, by host or by path."""
    assert by_host(site, "nosuch.auth.localhost").status_code == 404
    assert by_host(site, f"a.{site.prefix}.auth.localhost").status_code == 404
    assert site.http.get(f"{site.server.url}/auth/nosuch/oauth2/authorize").status_code == 404
    assert site.http.get(f"{site.server.url}/auth//oauth2/authorize").status_code == 404


def test_documents_follow_changes_of_other_processes(site: Site):
    """A document that was just served gives way as soon as another process has changed the pool."""
    before, pool = configuration_of(site), stored_pool(site)
    settings = site.server.settings
    other = open_store(settings.database)
    try:
        other_domain = changed(pool, settings=changed(pool.settings, domain="elsewhere"))
        saved = asyncio.run(other.write(lambda tx: tx.pools.save(other_domain)))
        assert configuration_of(site)["token_endpoint"] == f"{site.server.url}/auth/elsewhere/oauth2/token"
        asyncio.run(other.write(lambda tx: tx.pools.save(changed(saved, settings=pool.settings))))
        assert configuration_of(site) == before
    finally:
        other.close_now()
