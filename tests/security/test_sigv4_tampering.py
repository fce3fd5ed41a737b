"""A signed request is one request: whoever overhears it can repeat it for five minutes, and change nothing."""

import json
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.wire.client import CONTENT_TYPE, PREFIX, RawClient


@pytest.fixture
def signed(raw: RawClient, server) -> dict[str, str]:
    """The headers of a request for ListUserPools, as an SDK signs them."""
    return raw.sign(raw.headers("ListUserPools"), BODY)


BODY = json.dumps({"MaxResults": 1}).encode()


def test_a_repeated_request_is_answered_again(raw: RawClient, signed: dict[str, str], server):
    """Within five minutes a request may come again, as on AWS; after that no more."""
    for _ in range(2):
        assert raw.send("POST", signed, BODY).status == 200
    server.clock.advance(301)
    late = raw.send("POST", signed, BODY)
    assert (late.status, late.code) == (400, "InvalidSignatureException")


def test_nothing_signed_can_change(raw: RawClient, signed: dict[str, str], pool):
    """Another body, operation, host, time, Region, key or signature makes the request void."""
    pool_id = pool()
    changes: list[tuple[dict[str, str], bytes]] = [
        ({}, b'{"MaxResults":2}'),
        ({}, BODY + b" "),
        ({}, b""),
        ({"X-Amz-Target": PREFIX + "DeleteUserPool"}, json.dumps({"UserPoolId": pool_id}).encode()),
        ({"X-Amz-Target": PREFIX + "ListUserPoolClients"}, BODY),
        ({"Host": "other.example"}, BODY),
        ({"X-Amz-Date": _other_time(signed["X-Amz-Date"])}, BODY),
        ({"X-Amz-Date": "", "Date": "Mon, 23 Nov 2026 10:00:00 GMT"}, BODY),
    ]
    authorization = signed["Authorization"]
    for old, new in (
        ("us-east-1", "eu-west-1"),
        ("cognito-idp", "iam"),
        ("aws4_request", "aws5_request"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("Signature=", "Signature=0"),
        ("SignedHeaders=", "SignedHeaders=x-evil;"),
        ("host;", ""),
        (";x-amz-target", ""),
        ("AKPH", "akph"),
    ):
        assert old in authorization
        changes.append(({"Authorization": authorization.replace(old, new, 1)}, BODY))
    changes += [({"Authorization": authorization[:-64] + authorization[-64:].upper()}, BODY)]
    changes += [({"Authorization": authorization[:-1]}, BODY), ({"Authorization": authorization[:-64]}, BODY)]
    for headers, body in changes:
        answer = raw.send("POST", signed | headers, body)
        assert answer.status in {400, 403}, headers
        assert answer.code in {
            "InvalidSignatureException",
            "IncompleteSignatureException",
            "UnrecognizedClientException",
        }, (headers, answer.body)
    assert raw.signed("DescribeUserPool", {"UserPoolId": pool_id}).status == 200


def _other_time(time: str) -> str:
    return time[:-3] + f"{(int(time[-3:-1]) + 1) % 60:02}Z"


@pytest.mark.parametrize("left_out", ["host", "x-amz-target"])
def test_what_must_be_signed(raw: RawClient, server, left_out: str):
    """A good signature that leaves out the host or the operation is refused: the request could be made another."""

    class Lax(SigV4Auth):
        def headers_to_sign(self, request: AWSRequest) -> Any:
            found = super().headers_to_sign(request)
            del found[left_out]
            return found

    request = AWSRequest("POST", f"http://{raw.netloc}/", data=BODY, headers=raw.headers("ListUserPools"))
    Lax(Credentials(server.access_key, server.secret_key), "cognito-idp", "us-east-1").add_auth(request)
    answer = raw.send("POST", dict(request.headers.items()), BODY)
    assert answer.code == "InvalidSignatureException"
    assert f"'{left_out}' must be a 'SignedHeader'" in answer.message


def test_an_unsigned_date_cannot_be_swapped(raw: RawClient, server):
    """The time is under the signature even where its header is not: an old request cannot be made young."""

    class Lax(SigV4Auth):
        def headers_to_sign(self, request: AWSRequest) -> Any:
            found = super().headers_to_sign(request)
            del found["x-amz-date"]
            return found

    request = AWSRequest("POST", f"http://{raw.netloc}/", data=BODY, headers=raw.headers("ListUserPools"))
    Lax(Credentials(server.access_key, server.secret_key), "cognito-idp", "us-east-1").add_auth(request)
    headers = dict(request.headers.items())
    swapped = headers | {"X-Amz-Date": _other_time(headers["X-Amz-Date"])}
    assert raw.send("POST", swapped, BODY).code == "InvalidSignatureException"
    twice = [*headers.items(), ("X-Amz-Date", swapped["X-Amz-Date"])]
    answer = httpx.post(server.url, headers=twice, content=BODY, trust_env=False)
    assert answer.status_code == 400


def test_doubled_headers_do_not_hide(raw: RawClient, signed: dict[str, str], server, pool):
    """A second target, authorization or host beside the signed one gets nobody anywhere."""
    pool_id = pool()
    evil = json.dumps({"UserPoolId": pool_id}).encode()
    for name, value in (
        ("X-Amz-Target", PREFIX + "DeleteUserPool"),
        ("Authorization", signed["Authorization"]),
        ("Content-Type", CONTENT_TYPE),
    ):
        # The same Authorization twice is the same claim twice.
        for body in (evil,) if name == "Authorization" else (BODY, evil):
            for headers in ([*signed.items(), (name, value)], [(name, value), *signed.items()]):
                answer = httpx.post(server.url, headers=headers, content=body, trust_env=False)
                assert answer.status_code in {400, 403, 404}, name
    assert raw.signed("DescribeUserPool", {"UserPoolId": pool_id}).status == 200


def test_a_signature_for_another_path_or_method(raw: RawClient, signed: dict[str, str], server):
    """The API answers signed requests at its own address only."""
    for method, path in (("GET", "/"), ("PUT", "/"), ("POST", "/x"), ("POST", "//"), ("DELETE", "/")):
        assert raw.send(method, signed, BODY, path).status in {302, 404, 405}
    assert raw.send("POST", signed, BODY, "/?Action=DeleteUserPool").code == "InvalidSignatureException"


def test_signed_operations_want_a_signature(raw: RawClient):
    """No signed operation answers without one, or to an access token in its place."""
    import poolhouse.api.operations  # noqa: F401 - fills the registry
    from poolhouse.api.registry import HANDLERS
    from poolhouse.model import OPERATIONS, Access

    for name in sorted(HANDLERS):
        if OPERATIONS[name].access is not Access.ADMIN:
            continue
        for headers in (
            {},
            {"Authorization": "Bearer eyJ.e30.x"},
            {"Authorization": ""},
            {"authorization": "Basic YTpi"},
        ):
            answer = raw.post(name, {}, **headers)
            assert answer.status in {400, 403}, name
            assert answer.code in {"MissingAuthenticationTokenException", "IncompleteSignatureException"}, name
