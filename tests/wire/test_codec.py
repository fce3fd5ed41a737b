"""Bodies and headers of answers (spec/api/01 §1–3)."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.api import codec
from poolhouse.api.errors import UnknownOperationException
from poolhouse.model import (
    OPERATIONS,
    AuthenticationResultType,
    CodeDeliveryDetailsType,
    InitiateAuthRequest,
    InitiateAuthResponse,
    InternalErrorException,
    InvalidParameterException,
    ServiceError,
    SignUpResponse,
    UserNotFoundException,
    UserType,
)


def test_answers_are_compact_and_in_alphabetical_order() -> None:
    """The bytes are those of the captures: no white space, names in order at every level."""
    details = CodeDeliveryDetailsType(destination="t***@t***", delivery_medium="EMAIL", attribute_name="email")
    answer = SignUpResponse(user_sub="s", user_confirmed=False, code_delivery_details=details)
    assert codec.encode(answer) == (
        b'{"CodeDeliveryDetails":{"AttributeName":"email","DeliveryMedium":"EMAIL","Destination":"t***@t***"},'
        b'"UserConfirmed":false,"UserSub":"s"}'
    )
    result = AuthenticationResultType(token_type="Bearer", access_token="a", expires_in=3600)
    answer = InitiateAuthResponse(challenge_parameters={"b": "1", "a": "2"}, authentication_result=result)
    assert codec.encode(answer) == (
        b'{"AuthenticationResult":{"AccessToken":"a","ExpiresIn":3600,"TokenType":"Bearer"},'
        b'"ChallengeParameters":{"a":"2","b":"1"}}'
    )


def test_operations_without_output_have_an_empty_body() -> None:
    """No output shape: nothing; an empty structure: an empty object."""
    assert codec.encode(None) == b""
    assert codec.encode(SignUpResponse(user_confirmed=True, user_sub="s")).startswith(b"{")
    assert codec.encode(OPERATIONS["AdminConfirmSignUp"].response()) == b"{}"


@given(st.integers(0, 2**42))
def test_timestamps_have_three_decimals(milliseconds: int) -> None:
    """A time is a JSON number of seconds with at most three decimals, equal to what went in."""
    body = codec.encode(UserType(user_create_date=milliseconds / 1000)).decode()
    number = body.removeprefix('{"UserCreateDate":').removesuffix("}")
    assert len(number.partition(".")[2]) in {1, 2, 3}
    assert round(float(number) * 1000) == milliseconds


def test_error_documents() -> None:
    """The body has the bare name and a lower-case message, the headers repeat both."""
    error = UserNotFoundException("User does not exist.")
    body = codec.error_body(error)
    assert body == b'{"__type":"UserNotFoundException","message":"User does not exist."}'
    headers = dict(codec.error_headers(error, "id-1", body))
    assert headers[b"x-amzn-errortype"] == b"UserNotFoundException:"
    assert headers[b"x-amzn-errormessage"] == b"User does not exist."
    assert headers[b"x-amzn-requestid"] == b"id-1"
    assert headers[b"content-type"] == b"application/x-amz-json-1.1"
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"access-control-allow-origin"] == b"*"
    assert headers[b"access-control-expose-headers"] == b"x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"


def test_errors_without_text_have_no_message() -> None:
    """An unknown operation is told by its name alone."""
    body = codec.error_body(UnknownOperationException())
    assert body == b'{"__type":"UnknownOperationException"}'
    assert b"x-amzn-errormessage" not in dict(codec.error_headers(UnknownOperationException(), "id", body))


def test_only_faults_of_the_service_are_500() -> None:
    """The status comes from the class."""
    assert (InvalidParameterException("x").status, InternalErrorException("x").status) == (400, 500)


@given(st.text())
def test_the_message_header_is_one_line_of_ascii(message: str) -> None:
    """No message can break the header or add another."""
    text = codec.header_text(message)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= codec.MAX_HEADER_MESSAGE


def test_line_ends_become_spaces_in_the_header() -> None:
    """The schema errors of several lines stay readable; the body keeps the lines."""
    error = InvalidParameterException("user.a: no\r\nuser.b: é no\n")
    assert codec.header_text(error.message) == "user.a: no user.b: no"
    assert json.loads(codec.error_body(error))["message"] == error.message


def test_an_empty_body_is_an_empty_object() -> None:
    """Both spell a request without members."""
    decoder = codec.RequestDecoder(OPERATIONS["ListUserPools"])
    with pytest.raises(InvalidParameterException, match="'maxResults'"):
        decoder.decode(b"")
    assert codec.RequestDecoder(OPERATIONS["GetCSVHeader"]).decode(b'{"UserPoolId":"a_b"}').user_pool_id == "a_b"


def test_parameters_of_signing_in_may_be_null() -> None:
    """As amazon-cognito-identity-js sends them for none; elsewhere, and in tags, null is refused (spec/api/01 §1)."""
    decoder = codec.RequestDecoder(OPERATIONS["RespondToAuthChallenge"])
    whole = {"ClientId": "1example", "ChallengeName": "PASSWORD_VERIFIER"}
    body = whole | {"ChallengeResponses": {"USERNAME": "ann", "DEVICE_KEY": None}, "Session": None}
    assert decoder.decode(json.dumps(body).encode()).challenge_responses == {"USERNAME": "ann"}
    for wrong in (body | {"ClientMetadata": {"a": None}}, body | {"ClientId": None}, [body]):
        with pytest.raises(ServiceError):
            decoder.decode(json.dumps(wrong).encode())
    parameters = {"AuthFlow": "USER_SRP_AUTH", "ClientId": "1example", "AuthParameters": {"DEVICE_KEY": None}}
    request = codec.RequestDecoder(OPERATIONS["InitiateAuth"]).decode(json.dumps(parameters).encode())
    assert request.auth_parameters == {}


def test_requests_of_the_program_itself_are_checked() -> None:
    """A structure built in process meets the same constraints, and comes back as it was."""
    decoder = codec.RequestDecoder(OPERATIONS["InitiateAuth"])
    good = InitiateAuthRequest(auth_flow="USER_AUTH", client_id="c", auth_parameters={"USERNAME": "é"})
    assert decoder.check(good) == good
    with pytest.raises(InvalidParameterException, match="'clientId'"):
        decoder.check(msgspec.structs.replace(good, client_id="no spaces"))


def test_preflight_echoes_what_is_asked_for() -> None:
    """A browser may send whatever headers it names; without names it learns the usual ones."""
    headers = dict(codec.preflight_headers("content-type,x-amz-target"))
    assert headers[b"access-control-allow-headers"] == b"content-type,x-amz-target"
    assert headers[b"access-control-allow-methods"] == b"POST"
    assert headers[b"access-control-max-age"] == b"172800"
    usual = dict(codec.preflight_headers(None))[b"access-control-allow-headers"]
    assert {b"*", b"Authorization", b"X-Amz-Target", b"amz-sdk-request", b"cache-control"} <= set(usual.split(b", "))
