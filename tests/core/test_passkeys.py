"""Passkeys: for whom they are, and from where (spec/api/04 §10, spec/http/03 §3.8)."""

import pytest
from msgspec.structs import replace

from poolhouse.core.passkeys import find_rp_id, is_origin_allowed, name_of
from poolhouse.model import GetUserPoolMfaConfigResponse, WebAuthnConfigurationType
from tests.core.examples import make_pool


@pytest.mark.parametrize(
    ("origin", "rp_id", "allowed"),
    [
        ("https://example.org", "example.org", True),
        ("https://example.org", "Example.org", True),
        ("https://app.example.org", "example.org", True),
        ("https://app.example.org:8443", "example.org", True),
        ("http://localhost:3000", "localhost", True),
        ("http://shop.auth.localhost:7665", "shop.auth.localhost", True),
        ("http://example.org", "example.org", False),
        ("https://badexample.org", "example.org", False),
        ("https://example.org.evil.net", "example.org", False),
        ("https://example.org", "app.example.org", False),
        ("http://localhost:3000", "example.org", False),
        ("https://example.org/", "example.org", False),
        ("https://example.org?x", "example.org", False),
        ("https://evil.net@example.org", "example.org", False),
        ("https://evil.net\\.example.org", "example.org", False),
        ("https://example.org:", "example.org", False),
        ("https://EXAMPLE.org", "example.org", False),
        ("https://example.org\n", "example.org", False),
        ("https://[::1", "example.org", False),
        ("android:apk-key-hash:abc", "example.org", False),
        ("ftp://localhost", "localhost", False),
        ("null", "example.org", False),
        ("", "example.org", False),
    ],
)
def test_origins(origin: str, rp_id: str, allowed: bool):
    """A page speaks for a relying party over https, of its host or below it; on localhost without https too."""
    assert is_origin_allowed(origin, rp_id) == allowed


@pytest.mark.parametrize(
    ("configured", "custom", "prefix_host", "rp_id"),
    [
        ("rp.example.org", "login.example.org", "localhost", "rp.example.org"),
        (None, "login.example.org", "localhost", "login.example.org"),
        (None, None, "shop.auth.example.org", "shop.auth.example.org"),
        (None, None, "localhost", "localhost"),
        (None, None, "127.0.0.1", None),
        (None, None, "::1", None),
        (None, None, None, None),
    ],
)
def test_relying_parties(configured, custom, prefix_host, rp_id):
    """The configured one, else the custom domain, else the prefix domain; never an address."""
    configuration = WebAuthnConfigurationType(relying_party_id=configured)
    pool = replace(
        make_pool(custom_domain=custom), mfa=GetUserPoolMfaConfigResponse(web_authn_configuration=configuration)
    )
    assert find_rp_id(pool, prefix_host) == rp_id


def test_names():
    """A passkey is called by its maker's name, else by its kind."""
    assert name_of("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "platform") == "Google Password Manager"
    assert name_of(None, "cross-platform") == "Roaming passkey"
    assert name_of("11111111-1111-1111-1111-111111111111", "platform") == "Platform passkey"
    assert name_of(None, None) == "Passkey"
