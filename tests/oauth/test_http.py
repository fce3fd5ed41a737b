"""The HTTP vocabulary of the surfaces: headers, cookies, bodies, redirects, and whose domain a request is for."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.parameters import MalformedParameters, parse_parameters
from poolhouse.web.domains import find_domain
from poolhouse.web.requests import RequestRefused, cookies, headers, is_form, read_body
from poolhouse.web.responses import CookieScope, clear_cookie, domain_redirect, page_response, redirect, set_cookie
from tests.oauth.conftest import CALLBACK, Site

OPEN = CookieScope("/auth/p", secure=False)


def test_parameters():
    """Values are decoded; a parameter without a value counts as left out, and of two the first is kept."""
    parameters = parse_parameters(b"a=1&b=x%20y+z&c=&d&a=2&e=%C3%A4")
    assert parameters.values == {"a": "1", "b": "x y z", "e": "ä"}
    assert parameters.repeated == {"a"}
    assert parameters.get("c") is None


@pytest.mark.parametrize("text", [b"a=%ff", "a=\u00e4".encode(), b"&".join([b"a=b"] * 201)])
def test_malformed_parameters(text: bytes):
    """What is no UTF-8, not ASCII on the wire, or too much, is refused."""
    with pytest.raises(MalformedParameters):
        parse_parameters(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_parameters_or_refused(text: bytes):
    """Whatever comes in is either parameters or malformed."""
    try:
        parse_parameters(text)
    except MalformedParameters:
        return


def test_headers_that_occur_twice():
    """A header that occurs twice is seen with both values, so that neither hides the other."""
    scope = {"headers": [(b"host", b"a"), (b"host", b"b"), (b"cookie", b"x=1"), (b"cookie", b"y=2")]}
    assert headers(scope) == {"host": "a, b", "cookie": "x=1; y=2"}
    assert cookies(headers(scope)) == {"x": "1", "y": "2"}


def test_cookies():
    """Quotes around a value do not belong to it; of two cookies with one name the first counts."""
    assert cookies({"cookie": 'a="b=c"; d=; a=other; e = f ;nothing; g="'}) == {"a": "b=c", "d": "", "e": "f", "g": '"'}
    assert cookies({}) == {}


def read(events: list[dict], limit: int = 10) -> bytes:
    async def receive() -> dict:
        return events.pop(0)

    return asyncio.run(read_body(receive, limit))


def test_bodies():
    """A body is read to its end, up to a limit; one that breaks off is none."""
    parts = [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.request", "body": b"de"}]
    assert read([*parts]) == b"abcde"
    with pytest.raises(RequestRefused) as long:
        read([*parts], limit=4)
    assert long.value.status == 413
    with pytest.raises(RequestRefused) as broken:
        read([parts[0], {"type": "http.disconnect"}])
    assert broken.value.status == 400


def test_form_types():
    """The type of a form is told by its name alone, whatever its parameters."""
    assert is_form({"content-type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"})
    assert not is_form({"content-type": "application/json"})
    assert not is_form({})


def test_cookies_that_are_set():
    """Cookies have the layout of captured ones; ``Secure`` and ``Domain`` where they belong."""
    assert set_cookie(OPEN, "XSRF-TOKEN", "x-1")[1] == b"XSRF-TOKEN=x-1; Path=/auth/p; HttpOnly; SameSite=Lax"
    host = CookieScope("/", secure=True, host="auth.example.com")
    assert set_cookie(host, "cognito", "a=", max_age=3600, now=0)[1] == (
        b'cognito="a="; Version=1; Domain=auth.example.com; Max-Age=3600; Expires=Thu, 01-Jan-1970 01:00:00 GMT; '
        b"Path=/; Secure; HttpOnly; SameSite=Lax"
    )
    assert clear_cookie(host, "cognito")[1] == (
        b'cognito=""; Domain=auth.example.com; Expires=Thu, 01-Jan-1970 00:00:10 GMT; Path=/; Secure; HttpOnly; '
        b"SameSite=Lax"
    )


@given(st.text(max_size=50))
def test_no_redirect_breaks_out_of_its_header(text: str):
    """Whatever a target contains, its header is one line of ASCII."""
    for response in (redirect(f"/x?{text}"), domain_redirect(f"https://a/?{text}", request_id="r")):
        location = dict(response.headers)[b"location"]
        assert location.isascii()
        assert not set(location) & set(range(0x21))


def test_pages_forbid_what_they_do_not_need():
    """Pages say that nothing foreign may run in them or show them in a frame."""
    response = page_response("<p>")
    assert b"frame-ancestors 'none'" in dict(response.headers)[b"content-security-policy"]
    assert dict(response.headers)[b"x-frame-options"] == b"DENY"


def found(site: Site, host: str | None, path: str = "/login", *, public_url: str, auth_domain: str | None = None):
    deps = site.server.deps
    deps = replace(deps, identity=replace(deps.identity, public_url=public_url, auth_domain=auth_domain))
    scope = {"path": path, "headers": [] if host is None else [(b"host", host.encode())]}
    return site.server.run(find_domain(scope, deps))


def test_domain_below_the_auth_domain(site: Site):
    """Below the parent of prefix domains, a domain has https and a secure cookie for its host."""
    options = {"public_url": "https://id.example.com", "auth_domain": "auth.example.com"}
    context = found(site, f"{site.prefix}.auth.example.com:443", **options)
    assert (context.base_url, context.path) == (f"https://{site.prefix}.auth.example.com", "/login")
    assert context.session_scope == CookieScope("/", secure=True, host=f"{site.prefix}.auth.example.com")
    assert context.cookie_scope == CookieScope("/", secure=True)
    assert found(site, "auth.example.com", **options) is None
    assert found(site, f"x.{site.prefix}.auth.example.com", **options) is None


def test_domain_by_path(site: Site):
    """A domain by path has the public URL, with its path if it has one, and cookies below that."""
    for host in ("id.example.com", "127.0.0.1:80", "localhost", "[::1]:80", None, "some.where.else"):
        context = found(site, host, f"/auth/{site.prefix}/login", public_url="https://id.example.com/idp")
        assert context.base_url == f"https://id.example.com/idp/auth/{site.prefix}"
        assert context.cookie_scope == CookieScope(f"/idp/auth/{site.prefix}", secure=True)
        assert context.path == "/login"
    assert found(site, "localhost", "/auth", public_url="http://localhost:1") is None
    assert found(site, "localhost", f"/auth/{site.prefix}", public_url="http://localhost:1").path == "/"


def with_a_trigger(site: Site) -> None:
    name = "arn:aws:lambda:us-east-1:000000000000:function:nosuch"
    site.call("UpdateUserPool", UserPoolId=site.pool_id, LambdaConfig={"PreTokenGeneration": name})


def test_trigger_that_fails(site: Site):
    """What a trigger says reaches the application, by the token endpoint and by the implicit flow."""
    with_a_trigger(site)
    answer = site.redeem(site.code())
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert answer.json()["error_description"].startswith("PreTokenGeneration ")
    location = site.authorize(response_type="token", state="s").headers["location"]
    assert location.startswith(f"{CALLBACK}#error_description=PreTokenGeneration+")
    assert location.endswith(".+&state=s&error=invalid_request")


def test_unexpected_failure(site: Site, caplog: pytest.LogCaptureFixture):
    """A failure nobody foresaw is logged with the request's id, and told without details."""

    site.sign_in()
    user = site.server.read(lambda tx: tx.users.find_by_username(site.pool_id, site.username))
    damage = "UPDATE users SET details = '{' WHERE id = :id"
    site.server.write(lambda tx: tx._connection.run(damage, id=user.id))
    answer = site.authorize(state="s")
    assert answer.headers["location"] == f"{CALLBACK}?error=server_error&state=s"
    assert answer.headers["x-amz-cognito-request-id"] in caplog.text
    token = site.machine(scope="rs/read").json()["access_token"]
    assert site.userinfo(token).status_code == 401
