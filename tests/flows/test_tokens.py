"""Tokens: what they look like, and how they live, rotate and end."""

import asyncio
import base64
import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

import pytest
from msgspec.structs import replace

from poolhouse.core.jws import b64url
from poolhouse.flows import bearer, tokens
from poolhouse.flows.tokens import Tokens, issuer_of
from poolhouse.model import (
    IssuerConfigurationType,
    LambdaConfigType,
    NotAuthorizedException,
    PreTokenGenerationVersionConfigType,
    RefreshTokenReuseException,
    RefreshTokenRotationType,
    ServiceError,
    UnauthorizedException,
    UnexpectedLambdaException,
    UnsupportedOperationException,
    UnsupportedTokenTypeException,
    UserNotFoundException,
)
from tests.flows.stage import GOOD, POOL_ID, START, Stage, claims, initiate, play

ISSUER = f"http://localhost:7665/{POOL_ID}"
API = ("aws.cognito.signin.user.admin",)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


def rotation(grace: int = 0) -> RefreshTokenRotationType:
    return RefreshTokenRotationType(feature="ENABLED", retry_grace_period_seconds=grace)


def header(token: str) -> bytes:
    first = token.split(".", maxsplit=1)[0]
    return base64.urlsafe_b64decode(first + "=" * (-len(first) % 4))


def open_and_mint(stage: Stage, *, oauth: bool = False, scopes: tuple[str, ...] = API, **changes) -> Tokens:
    """Tokens of a session that is stored."""
    mint = {key: changes.pop(key) for key in ("nonce", "with_refresh", "with_id") if key in changes}
    user = stage.find() or stage.user()
    session = tokens.open_session(
        stage.public,
        stage.pool,
        stage.client,
        user,
        auth_time=START // 1000,
        event_id="event",
        scopes=scopes,
        oauth=oauth,
        **changes,
    )
    stage.write(lambda tx: tx.sessions.insert(session))
    source = "TokenGeneration_HostedAuth"
    return stage.run(tokens.mint(stage.public, stage.pool, stage.client, user, session, source=source, **mint))


async def refreshed(stage: Stage, token: str) -> Tokens:
    held = tokens.find_refreshing(stage.public, token)
    holder = await stage.deps.store.read(lambda tx: tokens.find_holder(tx, held))
    return await tokens.renew(stage.public, stage.pool, stage.client, holder)


def refresh(stage: Stage, token: str) -> Tokens:
    return stage.run(refreshed(stage, token))


def read(stage: Stage, token: str):
    return stage.run(tokens.read_access_token(stage.public, token))


def refused(text: str, kind: type[ServiceError] = NotAuthorizedException):
    return pytest.raises(kind, match=f"^{text}$")


def test_headers_and_keys(stage: Stage):
    """A header is exactly kid and alg; ID and access tokens have different keys."""
    made = open_and_mint(stage)
    keys = stage.read(lambda tx: tx.catalogue.signing_keys(POOL_ID))
    assert header(made.access_token) == f'{{"kid":"{keys.access.kid}","alg":"RS256"}}'.encode()
    assert header(made.id_token) == f'{{"kid":"{keys.id.kid}","alg":"RS256"}}'.encode()
    assert stage.deps.keyring.verify(made.id_token, keys.id) is not None
    assert len(keys.id.kid) == len(keys.access.kid) == 44


def test_refresh_tokens_look_like_cognitos(stage: Stage):
    """Five parts, the known header."""
    made = open_and_mint(stage)
    assert made.refresh_token.count(".") == 4
    assert json.loads(header(made.refresh_token)) == {"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}


def test_a_sign_in_over_the_api(stage: Stage):
    """Tokens of a sign-in share session, event and time, and tell who signed in."""
    user = stage.user(email="ann@example.com", email_verified="true")
    answer = (play(stage) >> initiate("USER_PASSWORD_AUTH", PASSWORD=GOOD)).answer.authentication_result
    access, identity = claims(answer.access_token), claims(answer.id_token)
    for name in ("sub", "iss", "origin_jti", "event_id", "auth_time", "iat"):
        assert access[name] == identity[name]
    assert (access["iss"], access["sub"]) == (ISSUER, user.sub)
    assert access["auth_time"] == access["iat"] == START // 1000
    assert access["jti"] != identity["jti"]
    assert (access["exp"] - access["iat"], answer.expires_in) == (3600, 3600)
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert {"version", "aud", "nonce", "at_hash"}.isdisjoint(access)
    assert {"client_id", "nonce", "at_hash"}.isdisjoint(identity)
    assert identity["email_verified"] is True
    session = stage.read(lambda tx: tx.sessions.find(access["origin_jti"]))
    assert (session.user_id, session.expires_at) == (user.id, START + 30 * 86_400_000)


def test_oauth_tokens(stage: Stage):
    """OAuth tokens have version 2, at_hash, nonce and resource; the last two as it should be after a refresh."""
    made = open_and_mint(stage, oauth=True, scopes=("openid", "rs/read"), resource="https://api.example", nonce="abc")
    access, identity = claims(made.access_token), claims(made.id_token)
    assert (access["version"], access["scope"], access["aud"]) == (2, "openid rs/read", "https://api.example")
    assert (identity["nonce"], identity["aud"]) == ("abc", "client")
    assert identity["at_hash"] == b64url(sha256(made.access_token.encode()).digest()[:16]).decode()
    again = refresh(stage, made.refresh_token)
    assert claims(again.access_token)["aud"] == "https://api.example"
    assert "nonce" not in claims(again.id_token)
    assert claims(again.id_token)["at_hash"] != identity["at_hash"]


def test_id_and_refresh_tokens_are_optional(stage: Stage):
    """Without openid there is no ID token; a caller may leave it and the refresh token out."""
    bare = open_and_mint(stage, oauth=True, scopes=("rs/read",), with_refresh=False)
    assert (bare.id_token, bare.refresh_token) == (None, None)
    assert open_and_mint(stage, with_id=False).id_token is None
    without = open_and_mint(stage, oauth=True, scopes=("rs/read",))
    assert refresh(stage, without.refresh_token).id_token is None


def test_tokens_of_a_client_itself(stage: Stage):
    """Client credentials give one access token about the client, with no user behind it."""
    made = stage.run(tokens.client_credentials(stage.public, stage.pool, stage.client, ["rs/read"]))
    assert (made.id_token, made.refresh_token, made.expires_in) == (None, None, 3600)
    told = claims(made.access_token)
    assert told["sub"] == told["client_id"] == "client"
    assert {"username", "origin_jti", "aud"}.isdisjoint(told)
    with refused("Access Token does not have required scopes"):
        read(stage, made.access_token)


@pytest.mark.parametrize(("version", "asked"), [("V2_0", False), ("V3_0", True)])
def test_the_trigger_of_client_credentials_is_its_third_version(stage: Stage, version: str, asked: bool):
    """Only version V3_0 of the trigger runs for a client's own token."""
    config = PreTokenGenerationVersionConfigType(
        lambda_arn="arn:aws:lambda:us-east-1:000000000000:function:f", lambda_version=version
    )
    stage.set_pool(lambda_config=LambdaConfigType(pre_token_generation_config=config))
    call = tokens.client_credentials(stage.public, stage.pool, stage.client, ["rs/read"])
    if asked:
        with pytest.raises(UnexpectedLambdaException):
            stage.run(call)
    else:
        assert stage.run(call).access_token


def test_refreshing(stage: Stage):
    """A refresh keeps sign-in time and session, makes new tokens and no new refresh token, and works again."""
    made = open_and_mint(stage)
    before = claims(made.access_token)
    stage.clock.advance(3600)
    for _ in range(2):
        again = refresh(stage, made.refresh_token)
        assert again.refresh_token is None
        for token in (again.access_token, again.id_token):
            told = claims(token)
            assert (told["auth_time"], told["origin_jti"]) == (before["auth_time"], before["origin_jti"])
            assert told["iat"] == before["iat"] + 3600
            assert told["jti"] != before["jti"]


def test_a_refresh_shows_the_user_as_now(stage: Stage):
    """Attributes in a refreshed ID token are those of now."""
    made = open_and_mint(stage)
    stage.change(attributes={"given_name": "Anne"})
    assert claims(refresh(stage, made.refresh_token).id_token)["given_name"] == "Anne"


def test_refresh_tokens_that_are_none(stage: Stage):
    """Garbage, altered tokens, and those of another client are invalid."""
    made = open_and_mint(stage)
    head, *rest = made.refresh_token.split(".")
    altered = ".".join([head, rest[0][:-4] + "AAAA", *rest[1:]])
    for token in ("x", made.access_token, altered, "a.b.c.d.e"):
        with refused("Invalid Refresh Token"):
            refresh(stage, token)
    stage.set_client("other")
    with refused("Invalid Refresh Token"):
        refresh(stage, made.refresh_token)


def test_refresh_tokens_expire(stage: Stage):
    """A refresh token lives as long as its client says, from the sign-in on."""
    stage.set_client(refresh_token_validity=2)
    made = open_and_mint(stage)
    stage.clock.advance(2 * 86400 - 0.001)
    refresh(stage, made.refresh_token)
    stage.clock.advance(0.001)
    with refused("Refresh Token has expired"):
        refresh(stage, made.refresh_token)


def test_refresh_tokens_end_with_their_user(stage: Stage):
    """A disabled user, a user signed out, a user deleted: each has its answer."""
    made = open_and_mint(stage)
    stage.change(enabled=False)
    with refused("User is disabled."):
        refresh(stage, made.refresh_token)
    stage.change(enabled=True, signed_out_at=stage.clock.now() + 1)
    with refused("Refresh Token has been revoked"):
        refresh(stage, made.refresh_token)
    stage.write(lambda tx: tx.sessions.delete_of_user(stage_user(tx).id))
    with refused("Refresh Token has been revoked"):
        refresh(stage, made.refresh_token)
    stage.write(lambda tx: tx.users.delete(stage_user(tx)))
    with refused("User does not exist.", UserNotFoundException):
        refresh(stage, made.refresh_token)


def stage_user(tx):
    return tx.users.find_by_username(POOL_ID, "ann")


def test_rotation(stage: Stage):
    """Where tokens rotate, each refresh gives a new one, which expires when the first would have."""
    stage.set_client(refresh_token_rotation=rotation(), refresh_token_validity=1)
    first = open_and_mint(stage)
    stage.clock.advance(86_000)
    second = refresh(stage, first.refresh_token)
    third = refresh(stage, second.refresh_token)
    assert claims(third.access_token)["origin_jti"] == claims(first.access_token)["origin_jti"]
    stage.clock.advance(400)
    with refused("Refresh Token has expired"):
        refresh(stage, third.refresh_token)


def test_reuse_ends_the_family(stage: Stage):
    """A rotated token used again is refused, and takes its successors along."""
    stage.set_client(refresh_token_rotation=rotation())
    first = open_and_mint(stage)
    second = refresh(stage, first.refresh_token)
    with pytest.raises(RefreshTokenReuseException):
        refresh(stage, first.refresh_token)
    for token in (first.refresh_token, second.refresh_token):
        with refused("Refresh Token has been revoked"):
            refresh(stage, token)
    with refused("Access Token has been revoked"):
        read(stage, second.access_token)


def test_the_grace_period(stage: Stage):
    """Within the grace period a retry gets the successor again; both work on, and later the old one is reuse."""
    stage.set_client(refresh_token_rotation=rotation(60))
    first = open_and_mint(stage)
    second = refresh(stage, first.refresh_token)
    stage.clock.advance(59.999)
    retried = refresh(stage, first.refresh_token)
    assert retried.refresh_token
    assert read(stage, second.access_token)
    third = refresh(stage, retried.refresh_token)
    assert refresh(stage, second.refresh_token).refresh_token
    stage.clock.advance(60)
    with pytest.raises(RefreshTokenReuseException):
        refresh(stage, second.refresh_token)
    with refused("Refresh Token has been revoked"):
        refresh(stage, third.refresh_token)


def test_refreshes_at_once_within_the_grace_period(stage: Stage):
    """With a grace period all of several refreshes at once get tokens, of one and the same successor."""
    stage.set_client(refresh_token_rotation=rotation(60))
    made = open_and_mint(stage)

    async def at_once() -> list[Tokens]:
        return await asyncio.gather(*(refreshed(stage, made.refresh_token) for _ in range(5)))

    held = [tokens.find_refreshing(stage.public, given.refresh_token) for given in stage.run(at_once())]
    assert {one.generation for one in held} == {1}


def test_of_many_refreshes_at_once_one_wins(stage: Stage):
    """Of a hundred refreshes with one token, rotation on and no grace, exactly one gets tokens."""
    stage.set_client(refresh_token_rotation=rotation())
    made = open_and_mint(stage)

    async def storm() -> list[str]:
        return await asyncio.gather(*(once() for _ in range(100)))

    async def once() -> str:
        try:
            await refreshed(stage, made.refresh_token)
        except ServiceError as error:
            return error.code
        return "tokens"

    said = Counter(stage.run(storm()))
    assert said["tokens"] == 1
    assert set(said) <= {"tokens", "RefreshTokenReuseException", "NotAuthorizedException"}


def revoke(stage: Stage, token: str) -> None:
    stage.run(tokens.revoke(stage.public, stage.pool, stage.client, token))


def test_revoking(stage: Stage):
    """A revoked refresh token ends its session, once or twice; other sessions go on."""
    made, other = open_and_mint(stage), open_and_mint(stage)
    read(stage, made.access_token)
    for _ in range(2):
        revoke(stage, made.refresh_token)
    revoke(stage, "garbage")
    with refused("Refresh Token has been revoked"):
        refresh(stage, made.refresh_token)
    with refused("Access Token has been revoked"):
        read(stage, made.access_token)
    assert refresh(stage, other.refresh_token)
    assert read(stage, other.access_token)


def test_what_cannot_be_revoked(stage: Stage):
    """Access tokens, tokens of others, and anything of a client without revocation."""
    made = open_and_mint(stage)
    for token in (made.access_token, made.id_token):
        with pytest.raises(UnsupportedTokenTypeException):
            revoke(stage, token)
    stage.set_client("other")
    with pytest.raises(UnauthorizedException):
        revoke(stage, made.refresh_token)
    stage.set_client(enable_token_revocation=False)
    with pytest.raises(UnsupportedOperationException):
        revoke(stage, made.refresh_token)
    assert refresh(stage, made.refresh_token)


def test_reading_an_access_token(stage: Stage):
    """An access token tells who calls; an ID token, an altered one or one of nobody's does not."""
    made = open_and_mint(stage)
    caller = read(stage, made.access_token)
    assert (caller.pool.id, caller.client.id, caller.user.username) == (POOL_ID, "client", "ann")
    assert caller.scopes == set(API)
    assert caller.session.id == caller.claims.origin_jti
    head, payload, signature = made.access_token.split(".")
    forged = b64url(json.dumps(claims(made.access_token) | {"username": "root"}).encode()).decode()
    foreign = b64url(json.dumps(claims(made.access_token) | {"client_id": "nobody"}).encode()).decode()
    none = b64url(b'{"kid":"x","alg":"none"}').decode()
    for token in (
        made.id_token,
        made.refresh_token,
        "x",
        "a.b.c",
        f"{head}.{forged}.{signature}",
        f"{head}.{foreign}.{signature}",
        f"{none}.{payload}.",
        f"{head}.{payload}.",
        f"{head}.{payload}.{payload}",
    ):
        with refused("Invalid Access Token"):
            read(stage, token)


@pytest.mark.parametrize("changed", [{"token_use": "id"}, {"iss": "https://other.example"}])
def test_only_access_tokens_of_this_issuer_are_read(stage: Stage, changed: dict[str, str]):
    """A genuine signature does not make an access token of something else."""
    made = open_and_mint(stage)
    keys = stage.read(lambda tx: tx.catalogue.signing_keys(POOL_ID))
    payload = json.dumps(claims(made.access_token) | changed).encode()
    with refused("Invalid Access Token"):
        read(stage, stage.run(stage.deps.keyring.sign(keys.access, payload)))


def test_access_tokens_end(stage: Stage):
    """An access token ends with its time, its user's sign-out, and its user, although its signature is known."""
    made = open_and_mint(stage)
    read(stage, made.access_token)
    stage.clock.advance(3600)
    with refused("Access Token has expired"):
        read(stage, made.access_token)
    stage.clock.advance(-3600)
    stage.change(enabled=False)
    with refused("User is disabled."):
        read(stage, made.access_token)
    stage.change(enabled=True, signed_out_at=stage.clock.now() + 1)
    with refused("Access Token has been revoked"):
        read(stage, made.access_token)
    stage.write(lambda tx: tx.users.delete(stage_user(tx)))
    with refused("User does not exist.", UserNotFoundException):
        read(stage, made.access_token)


def test_tokens_without_origin(stage: Stage):
    """Tokens of clients without revocation name no session, and end with the user's sign-out all the same."""
    stage.set_client(enable_token_revocation=False)
    made = open_and_mint(stage)
    assert "origin_jti" not in claims(made.access_token)
    assert "jti" not in claims(made.id_token)
    assert read(stage, made.access_token).session is None
    stage.change(signed_out_at=stage.clock.now() + 1000)
    with refused("Access Token has been revoked"):
        read(stage, made.access_token)


def test_a_withdrawn_key_withdraws_its_tokens(stage: Stage):
    """A token whose key the pool does not know any more is refused, even one that was verified before."""
    made = open_and_mint(stage)
    read(stage, made.access_token)
    new = stage.deps.keyring.make_key("access", START, stage.deps.random)

    def exchange(tx) -> None:
        tx.signing_keys._sql.run("DELETE FROM signing_keys WHERE use = :use", use="access")
        tx.signing_keys.insert(replace(new, pool_id=POOL_ID, state="active"))

    stage.write(exchange)
    with refused("Invalid Access Token"):
        read(stage, made.access_token)


def test_verified_tokens_are_remembered_within_bounds():
    """Only the tokens used last are remembered, each with its key."""
    remembered = bearer._Verified()
    remembered.capacity = 2
    for name in (b"a", b"b"):
        remembered.remember(bearer.Opened("token", name, "key", "claims"))
    assert remembered.find(b"a") == ("key", "claims")
    remembered.remember(bearer.Opened("token", b"c", "other", "claims"))
    assert [remembered.find(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]


def test_a_session_revoked_while_it_rotates(stage: Stage):
    """A refresh that meets a revocation gives no tokens."""
    stage.set_client(refresh_token_rotation=rotation())
    made = open_and_mint(stage)
    held = tokens.find_refreshing(stage.public, made.refresh_token)
    holder = stage.read(lambda tx: tokens.find_holder(tx, held))
    stage.write(lambda tx: tx.sessions.delete(held.session_id))
    with refused("Refresh Token has been revoked"):
        stage.run(tokens.renew(stage.public, stage.pool, stage.client, holder))


def test_issuers(stage: Stage):
    """The issuer is below the public URL, or Cognito's own where verifiers want that."""
    identity = stage.deps.identity
    updated = stage.set_pool(issuer_configuration=IssuerConfigurationType(type="UPDATED"))
    original = stage.set_pool()

    def issuer(template: str, pool=original) -> str:
        return issuer_of(dataclasses.replace(identity, issuer=template), pool)

    assert issuer_of(identity, original) == ISSUER
    assert issuer("aws") == f"https://cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
    assert issuer("aws", updated) == f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
    assert issuer("https://id.example/{region}/{pool_id}") == f"https://id.example/us-east-1/{POOL_ID}"
