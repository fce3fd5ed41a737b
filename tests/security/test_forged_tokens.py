"""Rows 20 to 22: forged tokens at every door that takes one."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.oauth.conftest import OAUTH_CLIENT, Site, claims, header
from tests.oauth.test_attacks import encode, forged, public_keys
from tests.wire.client import RawClient

FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
USER_OPERATIONS: dict[str, dict[str, Any]] = {
    "GetUser": {},
    "UpdateUserAttributes": {"UserAttributes": [{"Name": "name", "Value": "Mallory"}]},
    "DeleteUserAttributes": {"UserAttributeNames": ["name"]},
    "GetUserAttributeVerificationCode": {"AttributeName": "email"},
    "VerifyUserAttribute": {"AttributeName": "email", "Code": "123456"},
    "ChangePassword": {"PreviousPassword": "Correct-Horse-1", "ProposedPassword": "Battery-Staple-2"},
    "GlobalSignOut": {},
    "DeleteUser": {},
}


@pytest.fixture
def client(site: Site) -> str:
    """A client for every flow."""
    return site.app(ExplicitAuthFlows=FLOWS, **OAUTH_CLIENT)["ClientId"]


@pytest.fixture
def genuine(site: Site, client: str) -> str:
    """An access token that is good everywhere."""
    return site.tokens(client, scope="openid aws.cognito.signin.user.admin")["access_token"]


def consumers(site: Site, raw: RawClient, client: str) -> dict[str, Callable[[str], bool]]:
    """Every door that takes a token: whether it let one in; anything but a refusal in order fails."""

    def api(operation: str, **members: Any) -> bool:
        answer = raw.post(operation, members)
        assert answer.status in {200, 400}, (operation, answer.body)
        return answer.status == 200

    def userinfo(token: str) -> bool:
        answer = site.post("/oauth2/userInfo", {"access_token": token})
        assert answer.status_code in {200, 400, 401}, answer.text
        return answer.status_code == 200

    def bearer(token: str) -> bool:
        answer = site.userinfo(token)
        assert answer.status_code in {200, 400, 401}, answer.text
        return answer.status_code == 200

    def refresh(token: str) -> bool:
        answer = site.refresh(token, client)
        assert answer.status_code == 400, answer.text
        return False

    doors: dict[str, Callable[[str], bool]] = {"userInfo": bearer, "userInfo by form": userinfo, "refresh": refresh}
    doors["REFRESH_TOKEN_AUTH"] = lambda token: api(
        "InitiateAuth", ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": token}
    )
    doors["GetTokensFromRefreshToken"] = lambda token: api(
        "GetTokensFromRefreshToken", ClientId=client, RefreshToken=token
    )
    for operation, members in USER_OPERATIONS.items():
        doors[operation] = lambda token, operation=operation, members=members: api(
            operation, AccessToken=token, **members
        )
    return doors


def corpus(site: Site, genuine: str) -> list[str]:
    """Tokens that were never signed by the pool's key for access tokens."""
    payload, kid = claims(genuine), header(genuine)["kid"]
    start, middle, signature = genuine.split(".")
    own, curve = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    own_jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key()))
    found = [forged({"kid": kid, "alg": alg}, payload) for alg in ("none", "None", "nOnE", "", "RS256", "HS256")]
    for key in public_keys(site, kid):
        found += [forged({"kid": kid, "alg": alg}, payload, key) for alg in ("HS256", "RS256")]
    for head in (
        {"kid": kid},
        {"kid": kid, "jwk": own_jwk},
        {"kid": kid, "jku": "https://evil.example/jwks.json"},
        {"kid": kid, "x5u": "https://evil.example/x5u"},
        {"kid": kid, "crit": ["b64"], "b64": False},
        {"kid": "../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {},
    ):
        found += [jwt.encode(payload, own, algorithm=name, headers=head) for name in ("RS256", "PS256")]
    found.append(jwt.encode(payload, curve, algorithm="ES256", headers={"kid": kid}))
    for change in (
        {"sub": "00000000-0000-4000-8000-000000000000"},
        {"exp": payload["exp"] + 86400},
        {"scope": "openid aws.cognito.signin.user.admin everything"},
        {"username": "admin"},
        {"client_id": "0" * 26},
        {"origin_jti": "00000000-0000-4000-8000-000000000000"},
        {"token_use": "id"},
        {"iss": "https://evil.example"},
    ):
        found.append(f"{start}.{encode(payload | change)}.{signature}")
    found += [
        f"{start}.{middle}.",
        f"{start}.{middle}",
        f"{start}.{middle}.{signature}=",
        f"{start}.{middle}.{signature}A",
        f"{start}.{middle}.{signature[:-1]}",
        f"{start}.{middle}.{'A' * len(signature)}",
        f"{start}.{middle}.{encode(bytes(256))}",
        f"{start}.{middle}.{encode(bytes(255) + bytes([1]))}",
        f"{start}..{signature}",
        f"..{signature}",
        f"{genuine}.{signature}",
        f"{encode(dict(header(genuine), typ='JWT'))}.{middle}.{signature}",
        f"{encode(json.dumps(header(genuine)).encode())}.{middle}.{signature}",
    ]
    return found


def test_20_forged_tokens_at_every_door(site: Site, raw: RawClient, client: str, genuine: str):
    """Row 20: no door takes any forged token, and none of them is an accident."""
    doors = consumers(site, raw, client)
    assert doors["userInfo"](genuine)
    assert doors["GetUser"](genuine)
    for token in corpus(site, genuine):
        for name, door in doors.items():
            assert not door(token), f"{name}: {token}"
    assert doors["GetUser"](genuine)


def signed(site: Site, use: str, payload: dict[str, Any]) -> str:
    """A token with any claims, signed by a real key of the pool."""
    keys = site.server.read(lambda tx: tx.catalogue.signing_keys(site.pool_id))
    return site.server.run(site.server.deps.keyring.sign(getattr(keys, use), json.dumps(payload).encode()))


def test_20_genuine_signatures_over_the_wrong_thing(site: Site, raw: RawClient, client: str, genuine: str):
    """Row 20: a good signature is not enough: use, issuer, time, client, user and session must fit as well."""
    doors = consumers(site, raw, client)
    payload = claims(genuine)
    assert doors["GetUser"](signed(site, "access", payload))
    ids = site.tokens(client, scope="openid")["id_token"]
    tokens = [ids, site.machine().json()["access_token"], signed(site, "id", payload)]
    for change in (
        {"token_use": "id"},
        {"token_use": "refresh"},
        {"iss": payload["iss"] + "/"},
        {"iss": payload["iss"].replace(site.pool_id, "us-east-1_Operators")},
        {"exp": payload["iat"] - 1},
        {"exp": -1},
        {"client_id": "0" * 26},
        {"origin_jti": "00000000-0000-4000-8000-000000000000"},
        {"scope": ""},
        {"username": None},
    ):
        tokens.append(signed(site, "access", payload | change))
    for missing in ("token_use", "exp", "iss", "client_id", "scope", "sub", "username"):
        tokens.append(signed(site, "access", {name: value for name, value in payload.items() if name != missing}))
    for token in tokens:
        for name, door in doors.items():
            assert not door(token), f"{name}: {claims(token)}"


def test_20_tokens_of_another_pool(site: Site, raw: RawClient, front, user, client: str):
    """Row 20: a pool's user is nobody at another pool's endpoints, however alike the two are."""
    pages = front()
    user(pages.pool_id, "ann")
    other = claims(site.tokens(client, scope="openid")["access_token"])
    foreign_keys = site.server.read(lambda tx: tx.catalogue.signing_keys(pages.pool_id))
    crossed = site.server.run(site.server.deps.keyring.sign(foreign_keys.access, json.dumps(other).encode()))
    assert not consumers(site, raw, client)["GetUser"](crossed)
    genuine = site.tokens(client, scope="openid")["access_token"]
    answer = site.http.get(f"{pages.base}/oauth2/userInfo", headers={"authorization": f"Bearer {genuine}"})
    assert answer.status_code == 401


def test_21_long_tokens_at_every_door(site: Site, raw: RawClient, client: str, genuine: str):
    """Row 21: tokens past 64 KiB are refused at every door, whatever is in them."""
    doors = consumers(site, raw, client)
    start, middle, signature = genuine.split(".")
    long = [
        "A" * 66_000,
        f"{start}.{encode(claims(genuine) | {'pad': 'x' * 66_000})}.{signature}",
        f"{encode(header(genuine) | {'pad': 'x' * 60_000})}.{middle}.{signature}",
        f"{start}.{middle}.{signature}{'A' * 66_000}",
        "." * 66_000,
        "eyJ." * 17_000,
    ]
    for token in long:
        for name, door in doors.items():
            assert not door(token), f"{name}: {token[:40]}"


def test_22_logout_believes_no_token(site: Site, genuine: str):
    """Row 22: the sign-out endpoint ends the browser's session only, whatever hints it is given."""
    site.sign_in()
    answer = site.get(f"/logout?client_id={site.a}&logout_uri=https://app.example/out&id_token_hint={genuine}")
    assert answer.headers["location"] == "https://app.example/out"
    assert site.userinfo(genuine).status_code == 200
