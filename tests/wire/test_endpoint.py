"""``POST /`` over HTTP: targets, content types, limits, signatures, callers (spec/api/01)."""

import asyncio
import json
import logging
import uuid

import pytest

from poolhouse.api import endpoint
from poolhouse.api.callers import user_call
from poolhouse.api.endpoint import ApiDispatcher
from poolhouse.flows import installation, tokens
from poolhouse.flows.calls import Origin, PublicCall
from poolhouse.model import (
    OPERATIONS,
    DescribeUserPoolRequest,
    GetDeviceRequest,
    InitiateAuthRequest,
    InvalidParameterException,
    ListUserPoolsRequest,
    ResourceNotFoundException,
)
from tests.conftest import PASSWORD
from tests.wire.client import CONTENT_TYPE, PREFIX, Answer, RawClient

EXPOSED = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"


def check_error(answer: Answer, status: int, code: str, message: str | None) -> None:
    """The three places where a client reads an error agree."""
    assert (answer.status, answer.code, answer.document.get("message")) == (status, code, message)
    assert answer.headers["x-amzn-errortype"] == f"{code}:"
    assert answer.headers.get("x-amzn-errormessage") == message
    check_common(answer)


def check_common(answer: Answer) -> None:
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert uuid.UUID(answer.headers["x-amzn-requestid"]).version == 4
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == EXPOSED
    assert answer.headers["content-length"] == str(len(answer.body))
    assert "date" in answer.headers


def test_a_good_request(raw: RawClient) -> None:
    """A signed call is answered with 200 and the protocol's headers."""
    answer = raw.signed("ListUserPools", {"MaxResults": 1})
    assert answer.status == 200
    assert "UserPools" in answer.document
    check_common(answer)


def test_content_type_parameters_are_accepted(raw: RawClient) -> None:
    """The content type may carry a character set and any case."""
    headers = raw.headers("ListUserPools") | {"Content-Type": "Application/X-Amz-Json-1.1; charset=utf-8"}
    assert raw.send("POST", raw.sign(headers, b'{"MaxResults":1}'), b'{"MaxResults":1}').status == 200


@pytest.mark.parametrize("content_type", ["application/json", "application/x-amz-json-1.0", "text/plain", ""])
def test_other_content_types_are_not_the_protocol(raw: RawClient, content_type: str) -> None:
    """A wrong content type is answered in XML with 404."""
    answer = raw.send("POST", raw.headers("GetUser") | {"Content-Type": content_type}, b"{}")
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>")


@pytest.mark.parametrize(
    "target", [None, "", "GetUser", PREFIX, PREFIX + "GetUsers", PREFIX + "getuser", PREFIX.lower() + "GetUser"]
)
def test_unknown_targets(raw: RawClient, target: str | None) -> None:
    """A missing or unknown target has an error without a message; its case counts."""
    headers = raw.headers("") | {"X-Amz-Target": target or ""}
    if target is None:
        del headers["X-Amz-Target"]
    check_error(raw.send("POST", headers, b"{}"), 400, "UnknownOperationException", None)


def test_preflight(raw: RawClient) -> None:
    """A browser is told that it may call from anywhere with the headers that it names."""
    answer = raw.send(
        "OPTIONS",
        {
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "cache-control,content-type,x-amz-target,x-amz-user-agent",
        },
    )
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "cache-control,content-type,x-amz-target,x-amz-user-agent"
    assert answer.headers["access-control-max-age"] == "172800"


def test_an_empty_body_is_an_empty_object(raw: RawClient) -> None:
    """Without a body the constraints speak, not the parser."""
    answer = raw.signed("ListUserPools", b"")
    assert (answer.code, "'maxResults'" in answer.message) == ("InvalidParameterException", True)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"AccessToken":"\xff"}', b"[" * 100_000, b'{"X":' * 100_000])
def test_bodies_that_are_not_json(raw: RawClient, body: bytes) -> None:
    """What cannot be read is the caller's error."""
    check_error(raw.post("GetUser", body), 400, "SerializationException", None)


def test_type_errors_have_their_text(raw: RawClient) -> None:
    """A value of the wrong type is told by the parser's words."""
    check_error(
        raw.post("GetUser", {"AccessToken": 1}),
        400,
        "SerializationException",
        "NUMBER_VALUE can not be converted to a String",
    )


def test_body_limits(raw: RawClient) -> None:
    """A megabyte is the limit, two for branding (spec/api/01 §1.9)."""
    filler = b'{"X":"' + b"x" * (1024 * 1024 - 8) + b'"}'
    assert len(filler) == 1024 * 1024
    assert raw.post("GetUser", filler).code == "InvalidParameterException"
    answer = raw.post("GetUser", filler + b" ")
    assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")


def test_branding_may_be_twice_as_long(raw: RawClient) -> None:
    """Images travel in the body."""
    body = b'{"X":"' + b"x" * (2 * 1024 * 1024 - 8) + b'"}'
    assert raw.signed("CreateManagedLoginBranding", body).code == "InvalidParameterException"
    assert raw.signed("CreateManagedLoginBranding", body + b" ").status == 413


# Signatures


def test_signed_operations_need_a_signature(raw: RawClient) -> None:
    """Without credentials there is nothing to look at."""
    check_error(raw.post("ListUserPools"), 400, "MissingAuthenticationTokenException", "Missing Authentication Token")


def test_bad_signatures(raw: RawClient) -> None:
    """Each way of being wrong has its own error."""
    told = "The security token included in the request is invalid."
    check_error(raw.signed("ListUserPools", key="AKPHNOBODY"), 400, "UnrecognizedClientException", told)
    wrong = raw.signed("ListUserPools", secret="wrong")
    assert (wrong.status, wrong.code) == (400, "InvalidSignatureException")
    assert wrong.message.startswith("The request signature we calculated does not match the signature you provided.")
    service = raw.signed("ListUserPools", service="s3")
    assert service.message == "Credential should be scoped to correct service: 'cognito-idp'."
    garbled = raw.post("ListUserPools", Authorization="AWS4-HMAC-SHA256 nonsense")
    assert garbled.code == "IncompleteSignatureException"


def test_the_body_cannot_be_exchanged(raw: RawClient) -> None:
    """A signature belongs to its body."""
    headers = raw.sign(raw.headers("ListUserPools"), b'{"MaxResults":1}')
    assert raw.send("POST", headers, b'{"MaxResults":2}').code == "InvalidSignatureException"


def test_old_signatures_are_refused(raw: RawClient, server) -> None:
    """A request that was overheard is of no use ten minutes later."""
    server.clock.advance(600)
    answer = raw.signed("ListUserPools", {"MaxResults": 1})
    assert answer.code == "InvalidSignatureException"
    assert answer.message.startswith("Signature expired: ")


def test_session_tokens_are_not_known(raw: RawClient) -> None:
    """Nobody issues temporary credentials here."""
    headers = raw.headers("ListUserPools", X_Amz_Security_Token="token")
    assert raw.send("POST", raw.sign(headers, b"{}"), b"{}").code == "UnrecognizedClientException"


def test_deleted_access_keys_are_refused_at_once(raw: RawClient, server) -> None:
    """A key works from the moment it is made to the moment it is deleted, although its signing key is kept."""
    key, secret = server.run(installation.make_access_key(server.deps, "for a test"))
    for _ in range(2):
        assert raw.signed("ListUserPools", {"MaxResults": 1}, key=key, secret=secret).status == 200
    server.write(lambda tx: tx.access_keys.delete(key))
    assert raw.signed("ListUserPools", {"MaxResults": 1}, key=key, secret=secret).code == "UnrecognizedClientException"


def test_the_region_of_the_scope_counts(raw: RawClient) -> None:
    """A pool is made in the Region that the request was signed for, and found only there."""
    made = raw.signed("CreateUserPool", {"PoolName": "there"}, region="ap-south-1").document["UserPool"]
    assert made["Id"].startswith("ap-south-1_")
    asked = {"UserPoolId": made["Id"]}
    assert raw.signed("DescribeUserPool", asked, region="ap-south-1").status == 200
    assert raw.signed("DescribeUserPool", asked, region="eu-west-1").code == "ResourceNotFoundException"


def test_unsigned_operations_ignore_signatures(raw: RawClient) -> None:
    """Older SDKs sign everything: a signature is not looked at where none is needed, not even a wrong one."""
    answer = raw.signed("GetUser", {"AccessToken": "a.b.c"}, secret="wrong")
    check_error(answer, 400, "NotAuthorizedException", "Invalid Access Token")
    assert raw.post("GetUser", {"AccessToken": "a.b.c"}, Authorization="nonsense").code == "NotAuthorizedException"


# Access tokens


@pytest.fixture
def signed_in(call, pool, app, user):
    """A user's pool, client, name and access token."""
    pool_id = pool()
    client_id = app(pool_id)["ClientId"]
    name = user(pool_id)
    result = call(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client_id,
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )
    return pool_id, client_id, name, result["AuthenticationResult"]["AccessToken"]


def test_access_tokens_open_the_users_own_operations(raw: RawClient, signed_in) -> None:
    """A token of the API serves; a word changed, it does not."""
    token = signed_in[3]
    assert raw.post("GetUser", {"AccessToken": token}).document["Username"] == signed_in[2]
    head, payload, signature = token.split(".")
    forged = ".".join((head, payload, signature[:-8] + "AAAAAAAA"))
    check_error(raw.post("GetUser", {"AccessToken": forged}), 400, "NotAuthorizedException", "Invalid Access Token")


def test_access_tokens_expire(raw: RawClient, server, signed_in) -> None:
    """An hour is over when it is over."""
    server.clock.advance(3601)
    answer = raw.post("GetUser", {"AccessToken": signed_in[3]})
    check_error(answer, 400, "NotAuthorizedException", "Access Token has expired")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"sub":"\xff"}',
        b"[" * 5000,
        b'{"exp":' + b"9" * 400 + b"}",
        b'{"client_id":"\\u0000"}',
    ],
)
def test_any_token_can_be_refused(raw: RawClient, signed_in, payload: bytes) -> None:
    """Whatever a token claims to hold, it is invalid without our signature."""
    from base64 import urlsafe_b64encode

    head, _, signature = signed_in[3].split(".")
    forged = ".".join((head, urlsafe_b64encode(payload).decode().rstrip("="), signature))
    assert raw.post("GetUser", {"AccessToken": forged}).code == "NotAuthorizedException"
    spoilt = ".".join((urlsafe_b64encode(payload).decode().rstrip("=") or "e30", head, signature))
    assert raw.post("GetUser", {"AccessToken": spoilt}).code == "NotAuthorizedException"


def test_disabled_users_are_turned_away(call, raw: RawClient, signed_in) -> None:
    """Disabling works at once, on tokens that are out."""
    pool_id, _, name, token = signed_in
    call("AdminDisableUser", UserPoolId=pool_id, Username=name)
    answer = raw.post("GetUser", {"AccessToken": token})
    assert (answer.code, answer.message) in {
        ("NotAuthorizedException", "User is disabled."),
        ("NotAuthorizedException", "Access Token has been revoked"),
    }


def test_users_who_must_reset_are_told(call, raw: RawClient, signed_in) -> None:
    """A token of a user whose password was reset opens nothing until there is a new one."""
    pool_id, _, name, token = signed_in
    call(
        "AdminUpdateUserAttributes",
        UserPoolId=pool_id,
        Username=name,
        UserAttributes=[{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}],
    )
    call("AdminResetUserPassword", UserPoolId=pool_id, Username=name)
    answer = raw.post("GetUser", {"AccessToken": token})
    assert (answer.code, answer.message) == ("PasswordResetRequiredException", "Password reset required for the user")


def test_the_scope_is_needed(raw: RawClient, server, signed_in) -> None:
    """A token of the OAuth endpoints without the API's scope does not open the API."""
    pool_id, client_id, name, _ = signed_in

    def load(tx):
        app = tx.catalogue.find_app(client_id)
        return app[0], app[1], tx.users.find_by_username(pool_id, name)

    async def mint() -> str:
        call = PublicCall(deps=server.deps, now=server.clock.now(), origin=Origin(request_id="test"))
        pool, client, user = await server.store.read(load)
        session = tokens.open_session(
            call,
            pool,
            client,
            user,
            auth_time=call.now // 1000,
            event_id=server.deps.random.uuid(),
            scopes=("openid",),
            oauth=True,
        )
        await server.store.write(lambda tx: tx.sessions.insert(session))
        minted = await tokens.mint(call, pool, client, user, session, source="TokenGeneration_HostedAuth")
        return minted.access_token

    answer = raw.post("GetUser", {"AccessToken": server.run(mint())})
    check_error(answer, 400, "NotAuthorizedException", "Access Token does not have required scopes")


def test_a_token_that_the_model_calls_optional_is_needed() -> None:
    """GetDevice lists its access token as optional and cannot do without."""
    with pytest.raises(InvalidParameterException, match=r"Value at 'accessToken' failed .* Member must not be null"):
        asyncio.run(user_call(None, OPERATIONS["GetDevice"], GetDeviceRequest(device_key="us-east-1_a")))


# Failures of our own


def test_unexpected_errors_are_logged_and_hidden(
    raw: RawClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect is answered as InternalErrorException, and logged once without the text of the error."""
    route = endpoint.routes()["ListUserPools"]

    async def broken(call, request):
        raise KeyError("the-secret-itself")

    monkeypatch.setitem(
        endpoint.routes(), "ListUserPools", endpoint.Route(route.row, broken, route.decoder, route.limit)
    )
    with caplog.at_level(logging.ERROR):
        answer = raw.signed("ListUserPools", {"MaxResults": 1})
    check_error(answer, 500, "InternalErrorException", "Something went wrong")
    records = [record.getMessage() for record in caplog.records if record.name.startswith("poolhouse")]
    assert len(records) == 1
    assert answer.headers["x-amzn-requestid"] in records[0]
    assert "KeyError" in records[0]
    assert "broken" in records[0]
    assert "the-secret-itself" not in caplog.text


# In process


def test_the_console_calls_in_process(server, pool) -> None:
    """The dispatcher reaches the same handlers, with the same checks, as the console."""
    dispatcher, pool_id = ApiDispatcher(server.deps), pool()

    def run(operation, request, region="us-east-1"):
        return server.run(dispatcher.call(operation, request, region=region, origin=Origin(request_id="test")))

    described = run("DescribeUserPool", DescribeUserPoolRequest(user_pool_id=pool_id))
    assert described.user_pool.id == pool_id
    with pytest.raises(ResourceNotFoundException):
        run("DescribeUserPool", DescribeUserPoolRequest(user_pool_id=pool_id), "eu-west-1")
    with pytest.raises(InvalidParameterException, match="less than or equal to 60"):
        run("ListUserPools", ListUserPoolsRequest(max_results=61))
    with pytest.raises(ValueError, match="no operation of administrators"):
        run("InitiateAuth", InitiateAuthRequest(auth_flow="USER_AUTH", client_id="c"))


def test_boto3_reads_our_errors(cognito) -> None:
    """The usual client sees the code and the text."""
    with pytest.raises(cognito.exceptions.ResourceNotFoundException) as caught:
        cognito.describe_user_pool(UserPoolId="us-east-1_nothing")
    assert caught.value.response["Error"]["Message"] == "User pool us-east-1_nothing does not exist."
    assert json.dumps(caught.value.response["ResponseMetadata"]["RequestId"])
