"""From a request to the function and back: boto3, the server, and functions behind the Lambda Invoke API."""

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
