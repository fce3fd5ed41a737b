"""Functions behind a real Lambda Invoke endpoint on loopback (spec/api/06 §1)."""

import asyncio
import logging
import time
from datetime import UTC, datetime

import botocore.auth
import msgspec
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from poolhouse import triggers as module
from poolhouse.core.aws_signature import Credentials
from poolhouse.model import InvalidLambdaResponseException
from poolhouse.triggers.aws_lambda import LambdaService
from tests.functions import Refusal
from tests.triggers.running import EVENT, refusal, run

NOWHERE = "arn:aws:lambda:us-east-1:000000000000:function:nobody"


@pytest.fixture
def lost_no_time(monkeypatch):
    """Nothing lies between two tries."""
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)


def service_at(url, **service):
    return LambdaService(url=url, **service) if url else None


def invoke(url, arn, **service):
    return run(lambda triggers: triggers.invoke("PreSignUp", arn, EVENT), service=service_at(url, **service))


def refused(url, arn):
    return refusal(lambda triggers: triggers.invoke("PreSignUp", arn, EVENT), {}, service_at(url))


def test_the_event_goes_out_and_comes_back(functions, caplog):
    """A function gets the event, and what it returns is the answer; the log tells of it without its contents."""
    caplog.set_level(logging.INFO, "poolhouse.triggers")

    def handler(event, context):
        assert context.invoked_function_arn == arn
        event["response"] = {"autoConfirmUser": True}
        return event

    arn = functions.add(handler)
    assert invoke(functions.url + "/", arn) == EVENT | {"response": {"autoConfirmUser": True}}
    assert functions.events(arn) == [EVENT]
    assert functions.calls(arn)[0].kind == "RequestResponse"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "poolhouse.triggers"]
    assert line.startswith(f"PreSignUp_SignUp: {arn} answered (")
    assert "tries: 1" in line
    assert "🔑" not in line


def test_what_a_function_throws(functions):
    """Its message is told with a final period of its own, and it is not asked again."""

    def handler(event, context):
        raise ValueError("boom.")

    arn = functions.add(handler)
    assert refused(functions.url, arn) == "UserLambdaValidationException: PreSignUp failed with error boom.."
    assert len(functions.calls(arn)) == 1

    def silent(event, context):
        raise KeyError

    functions.change(arn, silent)
    assert refused(functions.url, arn) == "UserLambdaValidationException: PreSignUp failed with error KeyError."


@pytest.mark.parametrize(
    ("status", "type", "tries"),
    [
        (403, "AccessDeniedException", 1),
        (404, "ResourceNotFoundException", 1),
        (400, "InvalidRequestContentException", 1),
        (429, "TooManyRequestsException", 3),
        (500, "ServiceException", 1),
        (502, "EC2UnexpectedException", 1),
    ],
)
def test_what_the_service_refuses(functions, lost_no_time, status, type, tries):
    """Its error is told by its type; a throttle is worth three tries, as with Cognito a fault of the service is not."""

    def handler(event, context):
        raise Refusal(status, type)

    arn = functions.add(handler)
    told = refused(functions.url, arn)
    assert told == f"UnexpectedLambdaException: PreSignUp invocation failed due to error {type}."
    assert len(functions.calls(arn)) == tries


def test_a_throttled_function_is_asked_again(functions, lost_no_time):
    """The second try may succeed, and its answer counts."""
    answers = iter([Refusal(429, "TooManyRequestsException"), Refusal(429, "TooManyRequestsException")])

    def handler(event, context):
        for answer in answers:
            raise answer
        return event

    arn = functions.add(handler)
    assert invoke(functions.url, arn) == EVENT
    assert len(functions.calls(arn)) == 3


def test_functions_that_are_not_there(functions, lost_no_time):
    """An unknown function, an ARN that is none of Lambda's, and no Lambda at all are one error; a dead one another."""
    missing = "UnexpectedLambdaException: PreSignUp invocation failed due to error ResourceNotFoundException."
    assert refused(functions.url, NOWHERE) == missing
    assert refused(functions.url, "arn:aws:sns:us-east-1:000000000000:topic") == missing
    # What stands for the Region must not become another host.
    assert refused("http://{region}/", "arn:aws:lambda:evil.example/x:000000000000:function:f") == missing
    assert refused(None, NOWHERE) == missing
    dead = "UnexpectedLambdaException: PreSignUp invocation failed due to error ServiceException."
    assert refused("http://127.0.0.1:9", NOWHERE) == dead


def test_a_function_that_hangs(functions, lost_no_time, monkeypatch):
    """Each of three tries has its time, then the caller is told."""
    monkeypatch.setattr(module, "SECONDS", 0.3)
    arn = functions.add(functions.hang)
    told = refused(functions.url, arn)
    assert told == (
        "UnexpectedLambdaException: PreSignUp invocation failed due to error "
        "Socket timeout while invoking Lambda function."
    )
    assert len(functions.calls(arn)) == 3


@pytest.mark.parametrize("reply", [b"", b"{", b"NaN", b"[" * 100_000, b"\xff", b'"\xed\xa0"'])
def test_replies_that_are_no_json(functions, reply):
    """Whatever cannot be read is unrecognizable."""
    arn = functions.add(lambda event, context: reply)
    with pytest.raises(InvalidLambdaResponseException, match=r"^Unrecognizable lambda output$"):
        invoke(functions.url, arn)


def test_a_reply_that_is_too_large(functions):
    """No more is read than Lambda lets a function return."""
    arn = functions.add(lambda event, context: b'"' + b"x" * (6 * 1024 * 1024) + b'"')
    assert "RequestTooLargeException" in refused(functions.url, arn)


def test_a_notice(functions, lost_no_time):
    """A notice is an Event: what the function does of it is not waited for, but that it was taken is."""

    def handler(event, context):
        raise ValueError("nobody hears this")

    arn = functions.add(handler)
    run(lambda triggers: triggers.notify("CustomEmailSender", arn, EVENT), {}, service_at(functions.url))
    assert (functions.events(arn), functions.calls(arn)[0].kind) == ([EVENT], "Event")
    told = refusal(lambda triggers: triggers.notify("CustomEmailSender", NOWHERE, EVENT), {}, service_at(functions.url))
    assert told.startswith("UnexpectedLambdaException: CustomEmailSender invocation failed due to error Resource")


def test_functions_that_hang_leave_room(functions, monkeypatch):
    """One function's invocations are bounded, waiting is part of the time limit, and others are answered meanwhile."""
    monkeypatch.setattr(module, "SECONDS", 0.4)
    monkeypatch.setattr(module, "TRIES", 1)
    monkeypatch.setattr(module, "PLACES_OF_ONE", 4)
    hanging, answering = functions.add(functions.hang), functions.add()

    async def talk(triggers):
        crowd = [asyncio.create_task(triggers.invoke("PreSignUp", hanging, EVENT)) for _ in range(20)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        assert await triggers.invoke("PreSignUp", answering, EVENT) == EVENT
        answered = time.monotonic() - began
        assert len(functions.calls(hanging)) == 4
        failed = await asyncio.gather(*crowd, return_exceptions=True)
        return answered, time.monotonic() - began, failed

    answered, ended, failed = run(talk, {}, service_at(functions.url))
    assert answered < 0.25
    assert ended < 0.8
    assert {str(error) for error in failed} == {
        "PreSignUp invocation failed due to error Socket timeout while invoking Lambda function."
    }


@pytest.mark.parametrize("token", [None, "session/token="])
def test_the_signature_is_botocores(functions, monkeypatch, token):
    """AWS's own signer signs the request that was sent in the same way."""
    signer = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    arn = functions.add()
    invoke(functions.url, arn, credentials=signer)
    sent = functions.calls(arn)[0].headers
    moment = datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment.replace(tzinfo=None))
    names = ("host", "content-type", "x-amz-invocation-type")
    url = f"{functions.url}/2015-03-31/functions/{arn.replace(':', '%3A')}/invocations"
    request = AWSRequest("POST", url, {name: sent[name] for name in names}, msgspec.json.encode(EVENT))
    keys = BotoCredentials(signer.access_key_id, signer.secret_access_key, token)
    botocore.auth.SigV4Auth(keys, "lambda", "us-east-1").add_auth(request)
    assert sent["authorization"] == request.headers["Authorization"]
    assert sent.get("x-amz-security-token") == token
