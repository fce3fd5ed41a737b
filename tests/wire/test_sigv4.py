"""Signature Version 4, with botocore's own signer as the oracle (spec/api/01 §5)."""

import calendar
import re
import time

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.api import sigv4
from poolhouse.api.errors import IncompleteSignatureException, InvalidSignatureException
from poolhouse.api.sigv4 import MISMATCH
from poolhouse.core.aws_signature import signing_key

KEY, SECRET = "AKPHEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TARGET = "AWSCognitoIdentityProviderService.ListUserPools"


def sign(
    body: bytes = b"{}",
    *,
    secret: str = SECRET,
    service: str = "cognito-idp",
    region: str = "eu-central-1",
    extra: dict[str, str] | None = None,
    url: str = "http://localhost:7665/",
) -> dict[str, str]:
    """The headers of a request as botocore signs it, by lower-case name."""
    headers = {"X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.1", "Host": "localhost:7665"}
    request = AWSRequest("POST", url, data=body, headers=headers | (extra or {}))
    SigV4Auth(Credentials(KEY, secret), service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def now() -> int:
    return time.time_ns() // 1_000_000


def verify(headers: dict[str, str], body: bytes = b"{}", *, query: bytes = b"", at: int | None = None) -> sigv4.Claim:
    claim = sigv4.read_claim(headers)
    sigv4.check_claim(claim, at or now())
    sigv4.check_signature(claim, signing_key(SECRET, claim.scope), headers, query, body)
    return claim


def refusal(*args, **kwargs) -> str:
    with pytest.raises(InvalidSignatureException) as caught:
        verify(*args, **kwargs)
    return caught.value.message


def test_botocore_signatures_are_good() -> None:
    """A request signed by botocore passes, and tells its key and Region."""
    claim = verify(sign())
    assert (claim.key_id, claim.region) == (KEY, "eu-central-1")


@given(st.binary(max_size=200), st.from_regex(r"[a-z]{2}-[a-z]{2,9}-[0-9]", fullmatch=True))
def test_any_body_and_region_can_be_signed(body: bytes, region: str) -> None:
    """The verifier computes what the signer computed, whatever the body and the Region."""
    assert verify(sign(body, region=region), body).region == region


def test_more_headers_may_be_signed() -> None:
    """Any superset of the signed headers is accepted, values with odd spaces included."""
    extra = {
        "amz-sdk-invocation-id": "1",
        "amz-sdk-request": "attempt=1;  max=3",
        "X-Custom": "  a   b  ",
        "x-amz-user-agent": "aws-sdk-js/3",
    }
    assert "x-custom" in verify(sign(extra=extra)).signed_headers


def test_a_stated_hash_must_be_that_of_the_body() -> None:
    """The hash header is signed like any other; a payload that was left unsigned is refused."""
    assert refusal(sign(extra={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})) == MISMATCH


def test_the_query_is_signed() -> None:
    """A query belongs to what is signed, in its canonical order."""
    headers = sign(url="http://localhost:7665/?b=2&a=1")
    verify(headers, query=b"b=2&a=1")
    assert refusal(headers) == MISMATCH


def test_another_secret_does_not_do() -> None:
    """A signature under another secret is refused."""
    assert refusal(sign(secret="other")) == MISMATCH


def test_altered_bodies_and_headers_are_noticed() -> None:
    """Whatever was signed cannot be changed, added to a header or left out."""
    assert refusal(sign(), b'{"a":1}') == MISMATCH
    assert refusal(sign() | {"x-amz-target": TARGET.replace("List", "Delete")}) == MISMATCH
    assert refusal(sign() | {"host": "elsewhere"}) == MISMATCH
    missing = sign()
    del missing["content-type"]
    assert refusal(missing) == MISMATCH


def test_the_target_and_the_host_must_be_signed() -> None:
    """A signature that leaves the target or the host open could be used for another request."""
    for name in ("x-amz-target", "host"):
        headers = sign()
        headers["authorization"] = headers["authorization"].replace(f"{name};", "").replace(f";{name}", "")
        assert refusal(headers) == f"'{name}' must be a 'SignedHeader' in the AWS Authorization."


def test_another_service_is_named() -> None:
    """A scope of another service is refused by name."""
    assert refusal(sign(service="cognito-identity")) == (
        "Credential should be scoped to correct service: 'cognito-idp'."
    )


@pytest.mark.parametrize("region", ["", "Eu West", "a_b", "x" * 40])
def test_regions_look_like_regions(region: str) -> None:
    """Every Region is served, but it must be a name that can begin a pool id."""
    assert refusal(sign(region=region)) == "Credential should be scoped to a valid region."


def test_the_terminator_is_fixed() -> None:
    """The scope ends in aws4_request."""
    headers = sign()
    headers["authorization"] = headers["authorization"].replace("aws4_request", "aws5_request")
    assert (
        refusal(headers) == "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
    )


def test_the_scope_has_the_day_of_the_request() -> None:
    """The date of the scope is the day of X-Amz-Date."""
    headers = sign()
    headers["authorization"] = re.sub(r"/\d{8}/", "/20200101/", headers["authorization"])
    day, moment = headers["x-amz-date"][:8], headers["x-amz-date"]
    assert refusal(headers) == (
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        f"'20200101' != '{day}', from '{moment}'."
    )


def test_clocks_may_differ_by_five_minutes() -> None:
    """Signatures are good for five minutes before and after their time, and no longer."""
    headers = sign()
    signed = calendar.timegm(time.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ"))
    for seconds in (-300, 300):
        verify(headers, at=(signed + seconds) * 1000)
    for seconds, told in ((-301, "Signature not yet current: "), (301, "Signature expired: ")):
        assert refusal(headers, at=(signed + seconds) * 1000).startswith(told + headers["x-amz-date"])


def test_the_text_about_expiry() -> None:
    """The text names the time of signing, the oldest good one, and ours."""
    headers = sign()
    headers["x-amz-date"] = "20261123T100000Z"
    headers["authorization"] = re.sub(r"/\d{8}/", "/20261123/", headers["authorization"])
    at = calendar.timegm((2026, 11, 23, 10, 10, 0)) * 1000
    assert refusal(headers, at=at) == (
        "Signature expired: 20261123T100000Z is now earlier than 20261123T100500Z (20261123T101000Z - 5 min.)"
    )


def test_days_that_do_not_exist_are_refused() -> None:
    """A date in the right shape need not be one."""
    headers = sign()
    headers["x-amz-date"] = "20261399T100000Z"
    headers["authorization"] = re.sub(r"/\d{8}/", "/20261399/", headers["authorization"])
    assert "20261399T100000Z" in refusal(headers)


def test_the_date_header_stands_in() -> None:
    """botocore keeps an existing Date header and then sends no X-Amz-Date."""
    headers = sign(extra={"Date": "unset"})
    assert "x-amz-date" not in headers
    verify(headers)


@pytest.mark.parametrize(
    ("authorization", "told"),
    [
        ("Bearer abc", ["Credential", "Signature", "SignedHeaders"]),
        ("", ["Credential", "Signature", "SignedHeaders"]),
        ("AWS4-HMAC-SHA256", ["Credential", "Signature", "SignedHeaders"]),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host", ["Signature"]),
        ("AWS4-HMAC-SHA1 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0", ["Credential", "Signature"]),
    ],
)
def test_incomplete_headers_are_told_part_by_part(authorization: str, told: list[str]) -> None:
    """Each missing part of the header has its sentence; the header itself shows only as a digest."""
    with pytest.raises(IncompleteSignatureException) as caught:
        sigv4.read_claim({"authorization": authorization, "x-amz-date": "20261123T100000Z"})
    for part in told:
        assert f"Authorization header requires '{part}' parameter." in caught.value.message
    assert "'X-Amz-Date'" not in caught.value.message
    assert not authorization or authorization not in caught.value.message


@pytest.mark.parametrize("date", [None, "yesterday", "2026-11-23T10:00:00Z", "Mon, 99 Nov 2026 10:00:00 GMT"])
def test_a_time_is_needed(date: str | None) -> None:
    """A request without a time that can be read is incomplete."""
    headers = sign()
    del headers["x-amz-date"]
    with pytest.raises(IncompleteSignatureException, match=r"existence of either a 'X-Amz-Date' or a 'Date' header\."):
        sigv4.read_claim(headers if date is None else headers | {"date": date})


def test_credentials_have_five_parts() -> None:
    """A credential without its scope is incomplete."""
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=KEY/20261123, SignedHeaders=host, Signature=0"}
    with pytest.raises(IncompleteSignatureException, match="exactly 5 slash-delimited elements"):
        sigv4.read_claim(headers | {"x-amz-date": "20261123T100000Z"})


@given(st.text(st.characters(max_codepoint=0xFF)), st.text(st.characters(max_codepoint=0xFF)))
def test_any_header_text_is_refused_in_order(authorization: str, date: str) -> None:
    """Whatever the headers hold, the answer is an error of the protocol."""
    for prefix in ("", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Signature=é,SignedHeaders=host;x-amz-target,Credential="):
        with pytest.raises((IncompleteSignatureException, InvalidSignatureException)):
            verify({"authorization": prefix + authorization, "x-amz-date": date, "host": "h", "x-amz-target": "t"})


def test_a_forged_signature_of_odd_characters_is_refused() -> None:
    """The comparison takes any text for a signature."""
    headers = sign()
    headers["authorization"] = re.sub("Signature=.*", "Signature=é", headers["authorization"])
    assert refusal(headers) == MISMATCH
