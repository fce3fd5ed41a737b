"""Compact JWS: the exact bytes out, and nothing but canonical ones in."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core import jws


def test_header_is_exactly_cognitos():
    """The header has two members, kid first, and no typ (spec/http/04 §4.1)."""
    encoded = jws.header_of("AbC/+d=")

    assert base64.urlsafe_b64decode(encoded + b"==") == b'{"kid":"AbC/+d=","alg":"RS256"}'


@given(claims=st.binary(), signature=st.binary())
def test_split_undoes_assemble(claims: bytes, signature: bytes):
    """What is put together comes apart again."""
    header = jws.header_of("kid")
    parts = jws.split(jws.assemble(jws.signing_input(header, claims), signature))

    assert parts is not None
    assert (parts.header, parts.payload, parts.signature) == (header, claims, signature)
    assert parts.signed == jws.signing_input(header, claims)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "YQ.YQ",
        "YQ.YQ.YQ.YQ",
        "YQ.Y.YQ",
        "YQ.YQ.YQ==",
        "YQ.Y+.YQ",
        "YQ.Y/.YQ",
        "YQ.YR.YQ",
        "YQ.Y Q.YQ",
        "YQ.YQ.Y\n",
        "YQ.é.YQ",
        "YQ." + "Y" * 65_536 + ".YQ",
    ],
)
def test_other_texts_are_no_tokens(token: str):
    """Wrong part counts, alphabets, paddings and stray bits are refused, and so is anything over 64 KiB."""
    assert jws.split(token) is None


@given(st.text(max_size=200))
def test_split_and_find_kid_never_raise(text: str):
    """Whatever arrives is answered, not crashed on."""
    jws.split(text)
    jws.find_kid(text)


@given(st.binary(max_size=100))
def test_base64url_has_one_spelling(data: bytes):
    """Each value has one encoding, which decodes to it."""
    assert jws.find_b64url(jws.b64url(data)) == data


def token(header: object) -> str:
    return jws.b64url(json.dumps(header).encode()).decode() + ".e30.YQ"


def test_kid_is_found():
    """The key id of an RS256 token can be read before its signature is checked."""
    assert jws.find_kid(token({"kid": "one", "alg": "RS256"})) == "one"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "one", "alg": "none"},
        {"kid": "one", "alg": "HS256"},
        {"kid": "one", "alg": "rs256"},
        {"kid": "one"},
        {"alg": "RS256"},
        {"kid": 1, "alg": "RS256"},
        [],
        "text",
    ],
)
def test_other_headers_name_no_key(header: object):
    """A token of another algorithm, or without a key id, leads to no key."""
    assert jws.find_kid(token(header)) is None
