"""What the endpoints withstand: design/SECURITY §2 and §4, rows 1–5 and 20–23."""

import asyncio
import base64
import hashlib
import hmac
import json
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest

from tests.oauth.conftest import CALLBACK, CHALLENGE, LOGOUT, VERIFIER, Site, claims, header


def confusions(url: str) -> list[str]:
    """URLs that some parser or other takes for ``url``, or for one below its host."""
    host, path = urlsplit(url).netloc, urlsplit(url).path
    evil = "evil.example"
    hosts = [
        f"{host}@{evil}",
        f"{host}:x@{evil}",
        f"{evil}@{host}",
        f"{host}%40{evil}",
        f"{host}%2f@{evil}",
        f"{evil}#@{host}",
        f"{evil}%23@{host}",
        f"{evil}?@{host}",
        f"{evil}\\@{host}",
        f"{evil}%5c@{host}",
        f"{host}.{evil}",
        f"{host}{evil}",
        f"{evil}.{host}",
        f"{evil}/{host}",
        f"{evil}\\.{host}",
        f"{host}%00.{evil}",
        f"{host}\t.{evil}",
        f"{host}%09.{evil}",
        f"{host}%0d%0a.{evil}",
        f"{host}。{evil}",
        f"{host}．{evil}",
        f"{host}@{evil}@{host}",
        f"a:b@{host}@{evil}",
        f"*.{host}",
        "*",
        f"{host}:443",
        f"{host}:80",
        f"{host}:",
        f"{host}.",
        f"{host.upper()}",
        host.replace(".", "%2e"),
        host.replace(".", "-"),
        host.replace("a", "а"),
        host.replace("p", "ｐ"),
        f"[{host}]",
        f"[::1]@{evil}",
        f"{host};{evil}",
        f"{host},{evil}",
        f"{host}&{evil}",
        f"{host}`{evil}",
        f"{host}|{evil}",
        f"{host}'{evil}",
        f'{host}"{evil}',
        f"{host}<{evil}",
        f"{host} .{evil}",
    ]
    paths = [
        f"{path}/",
        f"{path}//",
        f"/{path}",
        f"{path}/..",
        f"{path}/../x",
        f"{path}/..;/x",
        f"{path};/..",
        f"{path}%2f",
        f"{path}%2f..",
        f"{path}/%2e%2e/x",
        f"{path}/.%2e/x",
        f"/.{path}",
        f"/./{path}",
        f"/x/..{path}",
        f"/%2e{path}",
        f"\\{path}",
        f"{path}\\",
        f"{path}\\..\\x",
        f"{path}?",
        f"{path}?a=b",
        f"{path}#",
        f"{path}#a",
        f"{path}%23",
        f"{path}%3f",
        f"{path} ",
        f" {path}",
        f"{path}\t",
        f"{path}\n",
        f"{path}\r\nSet-Cookie:a=b",
        f"{path}%0d%0a",
        f"{path}%00",
        f"{path}\x00",
        path.upper(),
        path[:-1],
        f"{path}x",
        f"{path}*",
        f"{path}.",
        f"{path};a=b",
        f"{path}&a=b",
        f"{path}%20",
        f"{path}+",
        "/",
        "",
        "/*",
        "//",
        f"/{evil}{path}",
        f"//{evil}{path}",
        path * 2,
        path.replace("/", "//"),
        path.replace("/", "/./"),
        quote(path, safe=""),
        f"{path}́",
        f"{path}\u200b",
    ]
    schemes = [
        f"http://{host}{path}",
        f"HTTPS://{host}{path}",
        f"Https://{host}{path}",
        f"//{host}{path}",
        f"//{evil}{path}",
        f"/\\{evil}{path}",
        f"\\\\{evil}{path}",
        f"/{path}",
        path,
        f"{host}{path}",
        f"https:{host}{path}",
        f"https:/{host}{path}",
        f"https:///{host}{path}",
        f"https:////{host}{path}",
        f"https:\\\\{host}{path}",
        f"https:/\\{host}{path}",
        f"https://{host}\\{path}",
        f" https://{host}{path}",
        f"https://{host}{path} ",
        f"\thttps://{host}{path}",
        f"ht\ntps://{host}{path}",
        f"https ://{host}{path}",
        f"https%3a//{host}{path}",
        f"https://https://{host}{path}",
        f"javascript://{host}{path}%0aalert(1)",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "DATA:text/html;base64,eA==",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "about:blank",
        "view-source:https://app.example/",
        f"ftp://{host}{path}",
        f"ws://{host}{path}",
        f"httpss://{host}{path}",
        f"https+x://{host}{path}",
        f"feed:https://{host}{path}",
        f"jar:https://{host}{path}!/",
        "https:",
        "https://",
        "://",
        ":",
        "?",
        "#",
        "*",
        "null",
        "undefined",
        "None",
        "https://evil.example",
        f"https://{evil}/?{url}",
        f"https://{evil}/#{url}",
        f"https://{evil}/{url}",
        f"{url}@{evil}",
        f"{url}.{evil}",
        f"{url},https://{evil}",
        f"{url} https://{evil}",
        f"{url}\nhttps://{evil}",
        f"{url}%20https://{evil}",
        f"{url}\\@{evil}",
        f"<{url}>",
        f'"{url}"',
        f"'{url}'",
        f"{url}\u2028",
        f"{url}\u00a0",
        f"\ufeff{url}",
        f"\u202e{url}",
        f"https://{host}{path}/.",
        f"https://0x7f000001{path}",
        f"https://2130706433{path}",
        f"https://127.0.0.1{path}",
        f"http://localhost{path}",
    ]
    lookalikes = [f"{scheme}://{name}{path}" for scheme in ("https", "http") for name in hosts]
    return lookalikes + [f"https://{host}{end}" for end in paths] + schemes


def test_1_to_5_redirect_confusions_at_authorize(site: Site):
    """Of two hundred lookalikes of the callback, none gets a browser: each leads to the domain's own error page."""
    site.sign_in()
    corpus = [uri for uri in confusions(CALLBACK) if uri]
    assert len(corpus) >= 200
    for uri in corpus:
        answer = site.authorize(redirect_uri=uri)
        assert answer.status_code == 302, uri
        assert answer.headers["location"] == f"{site.base}/error?error=redirect_mismatch&client_id={site.a}", uri


def test_1_to_5_redirect_confusions_at_logout(site: Site):
    """Nor does any lookalike of the sign-out URL."""
    for uri in confusions(LOGOUT):
        answer = site.get("/logout?" + urlencode({"client_id": site.a, "logout_uri": uri}))
        assert answer.status_code == 302, uri
        assert answer.headers["location"].startswith(f"{site.base}/error?"), uri


def test_2_error_parameters_do_not_break_out(site: Site):
    """A client id with markup or line breaks stays one encoded parameter of the error page."""
    for text in ("<script>alert(1)</script>", "x\r\nSet-Cookie: a=b", '"><img src=x>', "x&error=y"):
        answer = site.authorize(text)
        assert answer.headers["location"] == f"{site.base}/error?error=Client%20does%20not%20exist."
        assert "set-cookie" not in answer.headers


def test_3_no_redirect_uri_is_learnt(site: Site):
    """A client without callbacks trusts none, however often one is shown."""
    client = site.app(
        CallbackURLs=[], AllowedOAuthFlowsUserPoolClient=False, AllowedOAuthFlows=[], AllowedOAuthScopes=[]
    )
    for _ in range(2):
        answer = site.authorize(client["ClientId"])
        assert answer.headers["location"].startswith(f"{site.base}/error?error=redirect_mismatch")


def test_17_no_redirect_repeats_a_post(site: Site):
    """Redirects are 302: a browser does not send a form, and what is in it, on to the application."""
    site.sign_in()
    answer = site.post("/oauth2/authorize", {"client_id": site.a, "redirect_uri": CALLBACK, "response_type": "code"})
    assert answer.status_code == 302


# Row 20: confusion about algorithms and keys.


def encode(part: dict | bytes) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(head: dict, payload: dict, key: bytes | None = None) -> str:
    signed = f"{encode(head)}.{encode(payload)}"
    signature = b"" if key is None else hmac.digest(key, signed.encode(), hashlib.sha256)
    return f"{signed}.{encode(signature)}"


def public_keys(site: Site, kid: str) -> list[bytes]:
    """The forms of the public key that an attacker might use as an HMAC secret."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from jwt.algorithms import RSAAlgorithm

    jwk = next(key for key in site.http.get(f"{site.issuer}/.well-known/jwks.json").json()["keys"] if key["kid"] == kid)
    public = RSAAlgorithm.from_jwk(json.dumps(jwk))
    return [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        json.dumps(jwk).encode(),
        b"",
    ]


def test_20_algorithm_confusion(site: Site):
    """No forged access token is believed, whatever its header says."""
    import jwt
    from cryptography.hazmat.primitives.asymmetric import rsa

    genuine = site.tokens()["access_token"]
    assert site.userinfo(genuine).status_code == 200
    payload, kid = claims(genuine), header(genuine)["kid"]
    own = rsa.generate_private_key(65537, 2048)
    own_jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key()))
    start, middle, signature = genuine.split(".")
    corpus = [forged({"kid": kid, "alg": alg}, payload) for alg in ("none", "None", "NONE", "nOnE", "", "RS256")]
    corpus += [forged({"alg": "none"}, payload), f"{start}.{middle}.", f"{start}.{middle}"]
    for key in public_keys(site, kid):
        corpus += [forged({"kid": kid, "alg": alg}, payload, key) for alg in ("HS256", "RS256", "hs256")]
    for extra in (
        {},
        {"kid": kid},
        {"kid": kid, "jwk": own_jwk},
        {"jwk": own_jwk},
        {"kid": kid, "jku": "https://evil.example"},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": kid, "x5c": ["AA"]},
        {"kid": kid, "crit": ["x"]},
    ):
        corpus += [jwt.encode(payload, own, algorithm=name, headers=extra) for name in ("RS256", "PS256", "RS512")]
    changed = payload | {"sub": "00000000-0000-4000-8000-000000000000"}
    corpus += [
        f"{start}.{encode(changed)}.{signature}",
        f"{start}.{middle}.{signature}=",
        f"{start}.{middle}.{signature}A",
        f"{start}.{middle}.{encode(b'x' * 256)}",
        f"{start}..{signature}",
        "..",
        "...",
        "a.b.c",
        f"{genuine}.",
        f".{genuine}",
        f"{encode(dict(header(genuine), crit=['exp']))}.{middle}.{signature}",
    ]
    for token in corpus:
        answer = site.userinfo(token)
        assert answer.status_code == 401, token
        assert answer.json()["error"] == "invalid_token"


def test_20_tokens_of_another_key_of_the_pool(site: Site):
    """An access token's claims under the ID token's key, and the other way round, are not believed."""
    tokens = site.tokens()
    deps = site.server.deps
    keys = site.server.read(lambda tx: tx.catalogue.signing_keys(site.pool_id))
    crossed = site.server.run(deps.keyring.sign(keys.id, json.dumps(claims(tokens["access_token"])).encode()))
    assert site.userinfo(crossed).status_code == 401
    wrong_use = claims(tokens["access_token"]) | {"token_use": "id"}
    assert (
        site.userinfo(site.server.run(deps.keyring.sign(keys.access, json.dumps(wrong_use).encode()))).status_code
        == 401
    )


def test_21_long_tokens(site: Site):
    """Tokens past 64 KiB are refused before anybody decodes them."""
    genuine = site.tokens()
    padded = forged(header(genuine["access_token"]) | {"pad": "x" * 60_000}, claims(genuine["access_token"]))
    assert len(padded) > 65_536
    assert site.post("/oauth2/userInfo", {"access_token": padded}).status_code == 401
    assert site.refresh("x" * 70_000).json() == {"error": "invalid_grant"}
    assert site.refresh(genuine["refresh_token"] + "A" * 70_000).json() == {"error": "invalid_grant"}


# Row 22: authorization codes.


def test_22_replay_revokes(site: Site):
    """A code that comes again ends the session which it gave."""
    code = site.code()
    tokens = site.redeem(code).json()
    assert site.userinfo(tokens["access_token"]).status_code == 200
    assert site.redeem(code).json() == {"error": "invalid_grant"}
    assert site.userinfo(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}


def test_22_replay_by_another_client_revokes_nothing(site: Site):
    """Only the client of a code can bring its session to an end."""
    code = site.code()
    tokens = site.redeem(code).json()
    other = site.app()["ClientId"]
    assert site.redeem(code, other).json() == {"error": "invalid_grant"}
    assert site.userinfo(tokens["access_token"]).status_code == 200


def test_22_verifier_without_challenge(site: Site):
    """A verifier whose challenge got lost on the way is refused."""
    assert site.redeem(site.code(), code_verifier=VERIFIER).json() == {"error": "invalid_grant"}


def test_22_challenge_cannot_be_downgraded(site: Site):
    """The challenge itself is no verifier."""
    code = site.code(code_challenge=CHALLENGE, code_challenge_method="S256")
    assert site.redeem(code, code_verifier=CHALLENGE).json() == {"error": "invalid_grant"}


def together(server, url: str, form: dict[str, str], count: int) -> list[httpx.Response]:
    """POST the same form many times at once."""

    async def run() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=count)
        async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client:
            return await asyncio.gather(*(client.post(url, data=form) for _ in range(count)))

    return asyncio.run(run())


def test_22_parallel_redemptions(site: Site):
    """Of a hundred requests with one code, exactly one is given tokens, and the others are told nothing more."""
    form = {
        "grant_type": "authorization_code",
        "client_id": site.a,
        "redirect_uri": CALLBACK,
        "code": site.code(),
    }
    answers = together(site.server, f"{site.base}/oauth2/token", form, 100)
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 99
    assert {answer.text for answer in answers if answer.status_code == 400} == {'{"error":"invalid_grant"}'}


# Row 23: refresh tokens.


@pytest.mark.parametrize("grace", [0])
def test_23_parallel_refreshes(site: Site, grace: int):
    """Of a hundred requests with one rotating refresh token, exactly one is given new tokens."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": grace}
    client = site.app(ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], RefreshTokenRotation=rotation)["ClientId"]
    form = {
        "grant_type": "refresh_token",
        "client_id": client,
        "refresh_token": site.tokens(client)["refresh_token"],
    }
    answers = together(site.server, f"{site.base}/oauth2/token", form, 100)
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 99


def test_15_no_cross_origin_reading_of_authorization(site: Site):
    """Scripts of other origins cannot read what the authorization endpoint answers (RFC 9700, CORS)."""
    site.sign_in()
    answer = site.get(
        f"/oauth2/authorize?response_type=code&client_id={site.a}&redirect_uri={quote(CALLBACK)}",
        origin="https://evil.example",
    )
    assert not [name for name in answer.headers if name.startswith("access-control-")]
