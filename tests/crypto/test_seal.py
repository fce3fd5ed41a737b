"""Sealing: only the same installation, purpose and context opens what was sealed, unaltered."""

import base64
import json
import os

import pytest

from poolhouse.crypto.refresh import HEADER, open_refresh, seal_refresh
from poolhouse.crypto.seal import KEPT, OVERHEAD, SealBroken, Sealer
from poolhouse.crypto.session_string import (
    MAX_SESSION_CONTENT,
    open_secret_block,
    open_session,
    seal_secret_block,
    seal_session,
)

SEALER, OTHER = Sealer(b"\x11" * 32), Sealer(b"\x12" * 32)
SEALS = {
    "refresh": (seal_refresh, open_refresh),
    "session": (seal_session, open_session),
    "secret block": (seal_secret_block, open_secret_block),
}
each_kind = pytest.mark.parametrize("kind", SEALS)


def test_a_sealed_value_opens():
    """What was sealed comes back, empty or long."""
    for plain in (b"", b"x", os.urandom(5000)):
        sealed = SEALER.seal("a", plain, b"context")

        assert len(sealed) == len(plain) + OVERHEAD
        assert SEALER.open("a", sealed, b"context") == plain


def test_sealing_twice_gives_two_values():
    """Equal contents cannot be told to be equal."""
    assert SEALER.seal("a", b"same") != SEALER.seal("a", b"same")


@pytest.mark.parametrize(
    ("sealer", "purpose", "context"),
    [(OTHER, "a", b"c"), (SEALER, "b", b"c"), (SEALER, "a", b"d"), (SEALER, "a", b"")],
    ids=["master key", "purpose", "context", "no context"],
)
def test_a_seal_opens_where_it_belongs_only(sealer: Sealer, purpose: str, context: bytes):
    """Another master key, purpose or context does not open it."""
    with pytest.raises(SealBroken):
        sealer.open(purpose, SEALER.seal("a", b"secret", b"c"), context)


def test_every_altered_bit_is_noticed():
    """No byte of a sealed value can be changed, left out or added."""
    sealed = SEALER.seal("a", b"secret")
    altered = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]

    for value in [*altered, sealed[:-1], sealed + b"\0", b"", sealed[:20]]:
        with pytest.raises(SealBroken):
            SEALER.open("a", value)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_the_master_key_has_32_bytes(length: int):
    """A master key of another length is refused at once."""
    with pytest.raises(ValueError, match="needs 32"):
        Sealer(bytes(length))


def test_digests_depend_on_everything():
    """A digest changes with key, purpose, parts, and where one part ends and the next begins."""
    digests = [
        SEALER.digest("p", "a", "b"),
        OTHER.digest("p", "a", "b"),
        SEALER.digest("q", "a", "b"),
        SEALER.digest("p", "ab"),
        SEALER.digest("p", "ab", ""),
        SEALER.digest("p", "b", "a"),
        SEALER.digest("p"),
    ]

    assert len(set(digests)) == len(digests)
    assert {len(digest) for digest in digests} == {32}
    assert SEALER.digest("p", "a", "b") == digests[0]


@each_kind
def test_tokens_carry_their_content(kind: str):
    """Each kind of sealed text gives its content back, to its own installation only."""
    seal, open_ = SEALS[kind]

    for content in (b"", b"x", os.urandom(900)):
        assert open_(SEALER, seal(SEALER, content)) == content
    assert open_(OTHER, seal(SEALER, b"x")) is None


@each_kind
def test_no_kind_passes_for_another(kind: str):
    """A text made for one purpose opens for no other, even with its outer form adapted."""
    text = SEALS[kind][0](SEALER, b"content")

    for other, (_, open_) in SEALS.items():
        assert (open_(SEALER, text) is not None) == (other == kind)
    # A session's bytes spelled as a secret block, without and with their prefix, and the other way round.
    session = base64.urlsafe_b64decode(seal_session(SEALER, b"x") + "==")
    block = base64.b64decode(seal_secret_block(SEALER, b"x"))
    assert open_secret_block(SEALER, base64.b64encode(session).decode()) is None
    assert open_secret_block(SEALER, base64.b64encode(session[4:]).decode()) is None
    assert open_session(SEALER, base64.urlsafe_b64encode(session[:4] + block).decode().rstrip("=")) is None


@each_kind
def test_every_altered_character_is_noticed(kind: str):
    """Changing any character of a text makes it worthless."""
    seal, open_ = SEALS[kind]
    text = seal(SEALER, b"content")

    for position in range(0, len(text), 7):
        changed = "B" if text[position] == "A" else "A"
        assert open_(SEALER, text[:position] + changed + text[position + 1 :]) is None


@each_kind
@pytest.mark.parametrize("text", ["", ".", "....", "AYABe", "é", "\ud800", "A" * 20_000, "a.b.c.d.e"])
def test_garbage_is_refused_quietly(kind: str, text: str):
    """Whatever is sent in, the answer is None."""
    assert SEALS[kind][1](SEALER, text) is None


def test_refresh_tokens_look_like_cognitos():
    """Five parts, the known header, and an encrypted key of RSA-2048's length (spec/http/04 §4.4)."""
    parts = seal_refresh(SEALER, b"content").split(".")
    decoded = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts]

    assert parts[0] == HEADER.decode() == "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ"
    assert json.loads(decoded[0]) == {"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}
    assert [len(part) for part in decoded[1:]] == [256, 12, len(b"content"), 16]


@pytest.mark.parametrize("part", [1, 2, 4])
def test_refresh_tokens_have_parts_of_fixed_length(part: int):
    """A part of another length than ours is refused before anything is deciphered."""
    parts = seal_refresh(SEALER, b"content").split(".")
    parts[part] = parts[part][:-4] if part != 2 else parts[part] + "AAAA"

    assert open_refresh(SEALER, ".".join(parts)) is None
    assert open_refresh(SEALER, ".".join([*parts[:part], "AAAA", *parts[part + 1 :]])) is None


def test_session_strings_look_like_cognitos():
    """They start with AYABe, use base64url, and keep within 20 to 4096 characters (spec/api/04 §6)."""
    shortest, longest = seal_session(SEALER, b""), seal_session(SEALER, bytes(MAX_SESSION_CONTENT))

    for text in (shortest, longest):
        assert text.startswith("AYABe")
        assert 20 <= len(text) <= 4096
        assert "=" not in text
    assert open_session(SEALER, longest) == bytes(MAX_SESSION_CONTENT)
    assert {len(seal_session(SEALER, bytes(length))) for length in (0, 300, 766)} == {len(shortest)}
    with pytest.raises(ValueError, match="holds"):
        seal_session(SEALER, bytes(MAX_SESSION_CONTENT + 1))


def test_secret_blocks_have_cognitos_length():
    """1,724 characters of standard base64, however little they carry (spec/api/04 §4)."""
    assert {len(seal_secret_block(SEALER, bytes(length))) for length in (0, 100, 900)} == {1724}
    assert base64.b64decode(seal_secret_block(SEALER, b""), validate=True)
    assert open_secret_block(SEALER, seal_secret_block(SEALER, bytes(3000))) == bytes(3000)


def test_what_is_opened_often_is_opened_once_for_its_place_only():
    """A kept value is given for the very same seal, purpose and context; the ones used last are kept."""
    sealer = Sealer(b"\x11" * 32)
    sealed = sealer.seal("a", b"secret", b"c")
    assert [sealer.open_often("a", sealed, b"c") for _ in range(2)] == [b"secret"] * 2
    for purpose, context in (("b", b"c"), ("a", b"d")):
        with pytest.raises(SealBroken):
            sealer.open_often(purpose, sealed, context)
    for number in range(KEPT + 1):
        sealer.open_often("a", sealer.seal("a", b"%d" % number))
    assert len(sealer._opened) == KEPT
    assert sealer.open_often("a", sealed, b"c") == b"secret"
