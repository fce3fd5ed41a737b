"""From a request to the function and back: boto3, the server, and functions behind the Lambda Invoke API."""

import time
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from poolhouse import triggers
from tests.operations.talk import PASSWORD, listed, refusal, sign_in, sign_in_refusal


def test_signing_up_and_in(call, pool, app, functions):
    """A function confirms new users, another is told, and a third decides who signs in."""

    def confirm_all(event, context):
        event["response"]["autoConfirmUser"] = True
        return event

    def deny_bob(event, context):
        if event["userName"] == "bob":
            raise PermissionError("Bob is not welcome")
        return event

    confirming, told, deciding = functions.add(confirm_all), functions.add(), functions.add(deny_bob)
    pool_id = pool(LambdaConfig={"PreSignUp": confirming, "PostConfirmation": told, "PreAuthentication": deciding})
    client = app(pool_id)
    for name in ("ann", "bob"):
        new = {"ClientId": client["ClientId"], "Username": name, "Password": PASSWORD}
        assert call("SignUp", **new, UserAttributes=listed(email=f"{name}@x.org"))["UserConfirmed"] is True

    assert [event["triggerSource"] for event in functions.events(told)] == ["PostConfirmation_ConfirmSignUp"] * 2
    assert functions.events(confirming)[0] == {
        "version": "1",
        "triggerSource": "PreSignUp_SignUp",
        "region": "us-east-1",
        "userPoolId": pool_id,
        "userName": "ann",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client["ClientId"]},
        "request": functions.events(confirming)[0]["request"],
        "response": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    }
    assert sign_in(call, client, "ann")
    assert sign_in_refusal(call, client, "bob") == (
        "UserLambdaValidationException",
        "PreAuthentication failed with error Bob is not welcome.",
    )


def test_replies_that_are_no_event(call, pool, app, functions):
    """A function that returns something else than the event is unrecognizable."""
    arn = functions.add(lambda event, context: None)
    client = app(pool(LambdaConfig={"PreSignUp": arn}))
    new = {"ClientId": client["ClientId"], "Username": "ann", "Password": PASSWORD}
    unrecognizable = ("InvalidLambdaResponseException", "Unrecognizable lambda output")
    assert refusal(call, "SignUp", **new) == unrecognizable
    functions.change(arn, lambda event, context: {"response": []})
    assert refusal(call, "SignUp", **new) == unrecognizable


def test_sign_ins_that_wait_for_a_function_keep_nobody_else(call, pool, app, user, functions, monkeypatch):
    """While a function hangs, its callers are answered after the time limit, and all others as ever."""
    monkeypatch.setattr(triggers, "SECONDS", 0.3)
    monkeypatch.setattr(triggers, "PAUSE_SECONDS", 0)
    pool_id = pool(LambdaConfig={"PreSignUp": functions.add(functions.hang)})
    client = app(pool_id)
    elsewhere = pool()
    token = sign_in(call, app(elsewhere), user(elsewhere))["AccessToken"]
    new = {"ClientId": client["ClientId"], "Password": PASSWORD}

    def timed(operation, **members):
        began = time.monotonic()
        try:
            call(operation, **members)
        except ClientError as error:
            assert "Socket timeout while invoking Lambda function" in str(error)
        return time.monotonic() - began

    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(timed, "SignUp", Username=f"user-{number}", **new) for number in range(8)]
        others = [timed("GetUser", AccessToken=token) for _ in range(20)]
        waited = [future.result() for future in waiting]
    assert sorted(others)[len(others) // 2] < 0.1
    assert min(waited) > 0.85
    assert max(waited) < 3
