"""ID tokens of providers: genuine ones of each family, wrong ones, and forged ones (rows 20 and 21 of the catalogue)."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from poolhouse.core.jws import MAX_TOKEN_LENGTH
from tests.federation.conftest import wall
from tests.federation.provider import CLIENT_ID, CLIENT_SECRET, Answer, Provider, keys

NOW = wall() // 1000
KEY, SIGNATURE, ALGORITHM, FORM = "Bad id_token key", "Bad id_token signature", "Bad id_token algorithm", "Bad id_token"


def encode(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_jwk(key: Any, **members: Any) -> dict[str, Any]:
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPublicKey) else jwt.algorithms.ECAlgorithm
    made = kind.to_jwk(key, as_dict=True)
    made.pop("key_ops", None)
    return made | members


@pytest.mark.parametrize(
    ("alg", "kid"),
    [
        *((f"{family}{size}", "rsa") for family in ("RS", "PS") for size in (256, 384, 512)),
        ("ES256", "ec"),
        *((f"HS{size}", "any") for size in (256, 384, 512)),
    ],
)
def test_families(desk, provider: Provider, alg: str, kid: str):
    """Tokens by RSA, by elliptic curves and by the client's secret are taken."""
    provider.alg, provider.kid = alg, kid

    assert desk().fetch().id_token["sub"] == "AbC"
    assert len(provider.asked("jwks")) == (0 if alg.startswith("HS") else 1)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT_ID]},
        {"aud": ["another", CLIENT_ID], "azp": CLIENT_ID},
        {"exp": NOW + 3600.5},
        {"nbf": NOW + 200},
        {"iat": None},
    ],
)
def test_claims_that_are_fine(desk, provider: Provider, claims: dict[str, Any]):
    """Several audiences, fractions of seconds, and a clock that is a little ahead are no faults."""
    provider.claims = claims

    assert desk().fetch().id_token["sub"] == "AbC"


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"iss": "https://other.example"}, "Bad id_token issuer https://other.example"),
        ({"iss": None}, "Bad id_token issuer "),
        ({"iss": ["x"]}, "Bad id_token issuer "),
        ({"iss": "x" * 900 + "\n"}, f"Bad id_token issuer {'x' * 200}"),
        ({"aud": "another"}, "Bad id_token audience"),
        ({"aud": ["another", 7, None]}, "Bad id_token audience"),
        ({"aud": f"{CLIENT_ID} "}, "Bad id_token audience"),
        ({"aud": {CLIENT_ID: 1}}, "Bad id_token audience"),
        ({"aud": None}, "Bad id_token audience"),
        ({"azp": "another"}, "Bad id_token authorized party"),
        ({"exp": NOW - 1}, "Bad id_token expiration"),
        ({"exp": None}, "Bad id_token expiration"),
        ({"exp": "9999999999"}, "Bad id_token time"),
        ({"exp": True}, "Bad id_token time"),
        ({"exp": -1}, "Bad id_token time"),
        ({"exp": 1e300}, "Bad id_token time"),
        ({"nbf": NOW + 3600}, "Bad id_token start"),
        ({"nonce": "another"}, "Bad id_token nonce"),
        ({"nonce": ["n-0S6_WzA2Mj"]}, "Bad id_token nonce"),
        ({"sub": None}, "Bad id_token subject"),
        ({"sub": ""}, "Bad id_token subject"),
        ({"sub": 7}, "Bad id_token subject"),
    ],
)
def test_wrong_claims(desk, provider: Provider, claims: dict[str, Any], told: str):
    """A token of another issuer, client, time or sign-in, or of nobody, signs nobody in."""
    provider.claims = claims
    # PyJWT writes claims of the right type only; this provider does not care.
    provider.forge = lambda claims: jwt.api_jws.encode(
        json.dumps(claims).encode(), keys()["rsa"], "RS256", headers={"kid": "rsa"}
    )

    assert desk().refusal() == f"invalid_request: {told}"
    assert provider.asked("userinfo") == []


def test_a_nonce_that_does_not_come_back(desk, provider: Provider):
    """Small servers that stand before another protocol return none, and may; Google and Apple have to."""
    assert desk("OIDC").fetch(nonce=None).id_token["sub"] == "AbC"
    for kind, issuer in (("Google", "https://accounts.google.com"), ("SignInWithApple", "https://appleid.apple.com")):
        provider.claims = {"iss": issuer}
        assert desk(kind).refusal(nonce=None) == "invalid_request: Bad id_token nonce"


def raw(header: dict[str, Any], claims: Any, signature: bytes = b"x") -> str:
    return f"{encode(header)}.{encode(claims)}.{encode(signature)}"


def by_hmac(secret: bytes, claims: Any, **header: Any) -> str:
    """A token signed by HMAC with any bytes, such as a public key: PyJWT would refuse."""
    import hmac

    signed = f"{encode({'alg': 'HS256', 'kid': 'rsa'} | header)}.{encode(claims)}"
    return f"{signed}.{encode(hmac.digest(secret, signed.encode(), 'sha256'))}"


def by_rsa(key: rsa.RSAPrivateKey, claims: Any) -> str:
    """A token signed with a key of any length."""
    signed = f"{encode({'alg': 'RS256', 'kid': 'rsa'})}.{encode(claims)}"
    return f"{signed}.{encode(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def stranger(claims: Any, **header: Any) -> str:
    return jwt.encode(claims, keys()["stranger"], "RS256", headers={"kid": "rsa"} | header)


def genuine(claims: Any, **header: Any) -> str:
    return jwt.encode(claims, keys()["rsa"], "RS256", headers={"kid": "rsa"} | header)


def cut(token: str, *, end: int | None = None, more: str = "") -> str:
    return token[:end] + more


def pem() -> bytes:
    return keys()["rsa"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


FORGERIES = {
    "none": (lambda c: raw({"alg": "none"}, c, b""), ALGORITHM),
    "none with a signature": (lambda c: raw({"alg": "none", "kid": "rsa"}, c), ALGORITHM),
    "nOnE": (lambda c: raw({"alg": "nOnE", "kid": "rsa"}, c), ALGORITHM),
    "no algorithm": (lambda c: raw({"kid": "rsa"}, c), FORM),
    "algorithm that is no text": (lambda c: raw({"alg": ["RS256"], "kid": "rsa"}, c), FORM),
    "public key as secret": (lambda c: by_hmac(pem(), c), SIGNATURE),
    "public key without its last line break": (lambda c: by_hmac(pem().strip(), c), SIGNATURE),
    "modulus as secret": (lambda c: by_hmac(public_jwk(keys()["rsa"].public_key())["n"].encode(), c), SIGNATURE),
    "empty secret": (lambda c: by_hmac(b"", c), SIGNATURE),
    "key of a stranger": (stranger, SIGNATURE),
    "key in the header": (lambda c: stranger(c, jwk=public_jwk(keys()["stranger"].public_key())), SIGNATURE),
    "key at an address": (lambda c: stranger(c, jku="https://evil.example/jwks.json"), SIGNATURE),
    "certificate at an address": (lambda c: stranger(c, x5u="https://evil.example/x5u"), SIGNATURE),
    "unknown key": (lambda c: stranger(c, kid="stranger"), KEY),
    "path as key id": (lambda c: genuine(c, kid="../../dev/null"), KEY),
    "key id that is no text": (lambda c: raw({"alg": "RS256", "kid": 7}, c), FORM),
    "no key id": (lambda c: raw({"alg": "RS256"}, c), KEY),
    "key of another kind": (lambda c: genuine(c, kid="ec"), KEY),
    "curve too short for the algorithm": (lambda c: raw({"alg": "ES384", "kid": "ec"}, c, bytes(96)), SIGNATURE),
    "signature of zeros": (lambda c: raw({"alg": "ES256", "kid": "ec"}, c, bytes(64)), SIGNATURE),
    "signature of none": (lambda c: raw({"alg": "RS256", "kid": "rsa"}, c, b""), SIGNATURE),
    "unknown extension": (lambda c: genuine(c, crit=["exp"]), ALGORITHM),
    "payload that is not encoded": (
        lambda c: raw({"alg": "RS256", "kid": "rsa", "b64": False, "crit": ["b64"]}, c),
        ALGORITHM,
    ),
    "encrypted": (lambda c: f"{encode({'alg': 'dir', 'enc': 'A256GCM', 'zip': 'DEF'})}..AAAA.AAAA.AAAA", FORM),
    "padded": (lambda c: cut(genuine(c), more="="), FORM),
    "one sign more": (lambda c: cut(genuine(c), more="A"), SIGNATURE),
    "one sign less": (lambda c: cut(genuine(c), end=-1), FORM),
    "with a line break": (lambda c: cut(genuine(c), more="\n"), FORM),
    "claims that are a list": (lambda c: genuine_bytes(b"[1]"), FORM),
    "claims that are no JSON": (lambda c: genuine_bytes(b"{"), SIGNATURE),
    "claims without an end": (lambda c: genuine_bytes(b'{"a":' * 9000), SIGNATURE),
    "claims exchanged": (lambda c: exchanged(c), SIGNATURE),
    "too long": (lambda c: genuine(c | {"x": "y" * MAX_TOKEN_LENGTH}), FORM),
    "long header": (lambda c: genuine(c, x="y" * 40_000), SIGNATURE),
    "no token": (lambda _: "", FORM),
    "token that is no text": (lambda _: {"a": 1}, FORM),
    "letters from elsewhere": (lambda _: "ä.ö.ü", FORM),
}


def genuine_bytes(payload: bytes) -> str:
    return jwt.api_jws.encode(payload, keys()["rsa"], "RS256", headers={"kid": "rsa"})


def exchanged(claims: dict[str, Any]) -> str:
    start, _, signature = genuine(claims).split(".")
    return f"{start}.{encode(claims | {'sub': 'victim'})}.{signature}"


@pytest.mark.parametrize("name", FORGERIES)
def test_20_forged_tokens(desk, provider: Provider, name: str):
    """Rows 20 and 21: a token that the provider's own key did not sign, or signed in no known way, signs nobody in."""
    provider.forge, told = FORGERIES[name]

    assert desk().refusal() == f"invalid_request: {told}"
    assert provider.asked("userinfo") == []


WEAK = rsa.generate_private_key(65537, 1024)
P384 = ec.generate_private_key(ec.SECP384R1())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"use": "enc"}, KEY),
        ({"alg": "PS256"}, KEY),
        ({"kty": "oct", "k": encode(b"a secret for all to read")}, KEY),
        ({"e": "AQ"}, SIGNATURE),
        ({"n": "A" * 200_000}, KEY),
        ({"n": None}, KEY),
        ({"n": "ä"}, KEY),
    ],
)
def test_20_published_keys_of_no_use(desk, provider: Provider, changes: dict[str, Any], told: str):
    """Row 20: a published key verifies what it is for, and only where it is a whole one."""
    key = public_jwk(keys()["rsa"].public_key(), kid="rsa") | changes
    provider.answers["jwks"] = Answer(200, {"keys": [key]})

    assert desk().refusal() == f"invalid_request: {told}"


def test_20_weak_keys(desk, provider: Provider):
    """Row 20: neither a short RSA key nor a short secret verifies anything."""
    provider.answers["jwks"] = Answer(200, {"keys": [public_jwk(WEAK.public_key(), kid="rsa")]})
    provider.forge = lambda claims: by_rsa(WEAK, claims)
    assert desk().refusal() == f"invalid_request: {KEY}"

    provider.forge = lambda claims: by_hmac(CLIENT_SECRET[:13].encode(), claims)
    provider.secret = CLIENT_SECRET[:13]
    assert desk(client_secret=CLIENT_SECRET[:13]).refusal() == f"invalid_request: {KEY}"


def test_20_secrets_are_never_published(desk, provider: Provider):
    """Row 20: a token by HMAC is verified with the client's secret, whatever the provider publishes."""
    known = b"known to all the world, 32 bytes"
    provider.answers["jwks"] = Answer(200, {"keys": [{"kty": "oct", "kid": "rsa", "k": encode(known)}]})
    provider.forge = lambda claims: by_hmac(known, claims)
    assert desk().refusal() == f"invalid_request: {SIGNATURE}"

    provider.forge = lambda claims: by_hmac(CLIENT_SECRET.encode(), claims)
    assert desk().fetch().id_token["sub"] == "AbC"


def test_20_apple_knows_no_secret(desk, provider: Provider):
    """Row 20: Apple signs with published keys only, there being no secret that both sides know."""
    provider.forge = lambda claims: by_hmac(b"", claims)

    assert desk("SignInWithApple").refusal() == f"invalid_request: {ALGORITHM}"


def test_keys_beside_others(desk, provider: Provider):
    """Keys of the future, and others with the same id, do not stand in the way of the right one."""
    right = public_jwk(keys()["rsa"].public_key(), kid="rsa", use="sig", alg="RS256", x5c=["MII="], extra={"a": 1})
    others = [{"kty": "AKP", "kid": "rsa"}, public_jwk(P384.public_key(), kid="rsa"), right | {"use": "enc"}]
    provider.answers["jwks"] = Answer(200, {"keys": [*others, right]})

    assert desk().fetch().id_token["sub"] == "AbC"
