"""Functions as the developer guide writes them: in Python processes, and in Node.js behind the Invoke API.

The examples do what those of the guide do, trigger by trigger, in all the ways of answering that the guide has had: by
return, promise, callback, `context.done` and `context.succeed`. Their words are their own.
"""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from poolhouse.core.events_federation import inbound
from poolhouse.core.federation import Assertion
from poolhouse.settings import FunctionEndpoint
from poolhouse.triggers.aws_lambda import LambdaService
from tests.clients.conftest import NODE
from tests.conftest import Server, make_settings
from tests.functions import Functions
from tests.operations.talk import PASSWORD, listed, named
from tests.operations.talk import refusal as refused
from tests.triggers.running import EXAMPLES, arn_of, refusal, run

ANN = {"email": "ann@x.org", "phone_number": "+12025550182"}


def event(source: str, response: dict, user: str = "ann", client: str = "c", **request) -> dict:
    """An event as the flows make it."""
    return {
        "version": "1",
        "triggerSource": source,
        "region": "us-east-1",
        "userPoolId": "us-east-1_AbCdEfGhI",
        "userName": user,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client},
        "request": {"userAttributes": ANN} | request,
        "response": response,
    }


SIGN_UP = event("PreSignUp_SignUp", {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False})
UNCONFIRMED = SIGN_UP["response"]
CONFIRMED = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": True}
TEXTS = {"smsMessage": None, "emailMessage": None, "emailSubject": None}
DECIDE = {"challengeName": None, "issueTokens": None, "failAuthentication": None}
CREATE = {"publicChallengeParameters": None, "privateChallengeParameters": None, "challengeMetadata": None}
SRP_A, VERIFIED, SOLVED = (
    {"challengeName": name, "challengeResult": True, "challengeMetadata": None}
    for name in ("SRP_A", "PASSWORD_VERIFIER", "CUSTOM_CHALLENGE")
)
NEXT = {"issueTokens": False, "failAuthentication": False}
MIGRATION = dict.fromkeys(
    ("userAttributes", "forceAliasCreation", "enableSMSMFA", "finalUserStatus", "messageAction",
     "desiredDeliveryMediums")
)  # fmt: skip
BELLA = {"userAttributes": {"email": "bella@example.com", "email_verified": "true"}, "messageAction": "SUPPRESS"}
CREATED = event(
    "CreateAuthChallenge_Authentication", CREATE, session=[SRP_A, VERIFIED], challengeName="CUSTOM_CHALLENGE"
)
JUDGED = event(
    "VerifyAuthChallengeResponse_Authentication",
    {"answerCorrect": None},
    privateChallengeParameters={"answer": "5"},
    challengeAnswer="5",
)


def suppressed(member, *below):
    """What takes the part of a response that says which claims are left out."""

    def find(response):
        found = response[member]
        for name in below:
            found = found[name]
        return found["claimsToSuppress"]

    return find


# What a provider says, whose claims are of any kind.
SAID = Assertion(
    id_token={"sub": "AbC", "email_verified": True, "groups": ["Engineering", "Marketing", "Sales"]},
    user_info={"sub": "AbC", "email": "ann@x.org"},
)
# What each of them does the same, whatever it is written in.
EVERYWHERE = [
    ("pre_sign_up", SIGN_UP, CONFIRMED),
    ("pre_sign_up_domain", SIGN_UP, UNCONFIRMED),
    (
        "pre_sign_up_domain",
        event("PreSignUp_SignUp", UNCONFIRMED, userAttributes=ANN | {"custom:domain": "x.org"}),
        UNCONFIRMED | {"autoConfirmUser": True},
    ),
    ("pre_sign_up_length", event("PreSignUp_SignUp", UNCONFIRMED, "annie"), UNCONFIRMED),
    ("pre_sign_up_length", SIGN_UP, "A user name has five characters or more"),
    ("post_confirmation", event("PostConfirmation_ConfirmSignUp", {}), {}),
    ("pre_authentication", event("PreAuthentication_Authentication", {}), {}),
    ("post_authentication", event("PostAuthentication_Authentication", {}, newDeviceUsed=False), {}),
    (
        "pre_token_generation_v2",
        event("TokenGeneration_Authentication", {"claimsAndScopeOverrideDetails": None}, scopes=["openid"]),
        suppressed("claimsAndScopeOverrideDetails", "idTokenGeneration"),
    ),
    (
        "pre_token_generation",
        event("TokenGeneration_Authentication", {"claimsOverrideDetails": None}, groupConfiguration={}),
        suppressed("claimsOverrideDetails"),
    ),
    ("user_migration", event("UserMigration_ForgotPassword", MIGRATION, "belladonna"), MIGRATION | BELLA),
    (
        "define_auth_challenge",
        event("DefineAuthChallenge_Authentication", DECIDE, session=[SRP_A]),
        NEXT | {"challengeName": "PASSWORD_VERIFIER"},
    ),
    (
        "define_auth_challenge",
        event("DefineAuthChallenge_Authentication", DECIDE, session=[SRP_A, VERIFIED]),
        NEXT | {"challengeName": "CUSTOM_CHALLENGE"},
    ),
    ("verify_auth_challenge", JUDGED, {"answerCorrect": True}),
    (
        "inbound_federation",
        event("InboundFederation_ExternalProvider", {"userAttributesToMap": {}}, **inbound("Example", "OIDC", SAID)),
        {
            "userAttributesToMap": {
                "sub": "AbC",
                "email": "ann@x.org",
                "email_verified": "true",
                "custom:roles": "developers,sellers",
            }
        },
    ),
]
IN_PYTHON = [
    *EVERYWHERE,
    (
        "pre_authentication",
        event("PreAuthentication_Authentication", {}, client="user-pool-app-client-id-to-be-blocked"),
        "Cannot authenticate users from this user pool app client",
    ),
    (
        "custom_message",
        event("CustomMessage_SignUp", TEXTS, codeParameter="{####}"),
        {
            "smsMessage": "Welcome to the service. Your confirmation code is {####}",
            "emailMessage": "Thank you for signing up. {####} is your verification code",
            "emailSubject": "Welcome to the service",
        },
    ),
    (
        "user_migration",
        event("UserMigration_Authentication", MIGRATION, "belladonna", password="Test123!"),
        MIGRATION | BELLA | {"finalUserStatus": "CONFIRMED"},
    ),
    (
        "user_migration",
        event("UserMigration_Authentication", MIGRATION, "belladonna", password="wrong"),
        "Bad password",
    ),
    (
        "define_auth_challenge",
        event("DefineAuthChallenge_Authentication", DECIDE, session=[SRP_A, VERIFIED, SOLVED]),
        DECIDE | {"issueTokens": True, "failAuthentication": False},
    ),
    (
        "create_auth_challenge",
        CREATED,
        {
            "publicChallengeParameters": {"captchaUrl": "url/123.jpg"},
            "privateChallengeParameters": {"answer": "5"},
            "challengeMetadata": "CAPTCHA_CHALLENGE",
        },
    ),
]
IN_NODE = [
    *EVERYWHERE,
    (
        "user_migration",
        event("UserMigration_Authentication", MIGRATION, "belladonna", password="Test123"),
        MIGRATION | BELLA | {"finalUserStatus": "CONFIRMED"},
    ),
    ("user_migration", event("UserMigration_Authentication", MIGRATION, "belladonna", password="wrong"), MIGRATION),
    (
        "user_migration_legacy",
        event("UserMigration_Authentication", MIGRATION, "belladonna", password="Test123"),
        MIGRATION | BELLA | {"finalUserStatus": "CONFIRMED"},
    ),
    (
        "user_migration_legacy",
        event("UserMigration_Authentication", MIGRATION, "belladonna", password="wrong"),
        "Bad password",
    ),
    (
        "create_auth_challenge",
        CREATED,
        CREATE
        | {"publicChallengeParameters": {"captchaUrl": "url/123.jpg"}, "privateChallengeParameters": {"answer": "5"}},
    ),
    (
        "custom_message",
        event("CustomMessage_ForgotPassword", TEXTS, codeParameter="{####}"),
        {
            "smsMessage": "Use {####} to choose a new password",
            "emailMessage": "Use the code {####} to choose a new password",
            "emailSubject": "A new password",
        },
    ),
    (
        "custom_message_invitation",
        event("CustomMessage_AdminCreateUser", TEXTS, codeParameter="{####}", usernameParameter="{username}"),
        {
            "smsMessage": "Your user name is {username} and your temporary password {####}",
            "emailMessage": "Your user name is {username} and your temporary password {####}",
            "emailSubject": "Welcome",
        },
    ),
    (
        "pre_authentication",
        event("PreAuthentication_Authentication", {}, userAttributes={"email": "eve@blocked.example"}),
        "Cannot authenticate users from this domain",
    ),
]


@pytest.fixture(scope="module")
def node_lambda() -> Iterator[str]:
    """The URL of a Lambda Invoke API whose functions are the examples for Node.js."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    script = [shutil.which("node"), NODE / "invoke_api.mjs", EXAMPLES]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def check(examples, *settings):
    """Each example answers its event with the event, changed as expected only; or throws the text."""

    async def all_of_them(triggers):
        for name, sent, expected in examples:
            if isinstance(expected, str):
                continue
            answer = await triggers.invoke("Trigger", arn_of(name), sent)
            response = answer.pop("response")
            assert answer == {key: value for key, value in sent.items() if key != "response"}, name
            if callable(expected):
                assert "email" in expected(response), name
            else:
                assert response == expected, name

    run(all_of_them, *settings)
    for name, sent, expected in examples:
        if isinstance(expected, str):
            told = refusal(lambda triggers: triggers.invoke("Trigger", arn_of(name), sent), *settings)  # noqa: B023
            assert told == f"UserLambdaValidationException: Trigger failed with error {expected}."


def test_examples_in_python():
    """All kinds of functions run as they were written."""
    mapped = {arn_of(name): f"python:{name}:lambda_handler" for name, _, _ in IN_PYTHON}
    check(IN_PYTHON, mapped, None, EXAMPLES)


@pytest.mark.clients
def test_examples_in_node(node_lambda):
    """All kinds again: handlers that are asynchronous, that call back and that use the context's `done`."""
    check(IN_NODE, {}, LambdaService(url=node_lambda))


@pytest.mark.clients
def test_a_pool_with_functions_in_three_places(rsa_keys, functions: Functions, node_lambda, tmp_path):
    """One pool's functions may run in a process, behind a webhook and in Node.js; each has its effect."""
    told = functions.webhook()
    settings = {
        "functions": {
            "*:function:confirm": "python:pre_sign_up:lambda_handler",
            "*:function:tell": FunctionEndpoint(url=told.url, secret=told.secret),
        },
        "functions_path": str(EXAMPLES),
        "lambda_url": node_lambda,
    }
    server = Server(make_settings(f"sqlite:///{tmp_path}/poolhouse.db", tmp_path, **settings))
    server.start()
    try:
        call = server.boto()._make_api_call
        config = {
            "PreSignUp": arn_of("confirm"),
            "PostConfirmation": arn_of("tell"),
            "PreAuthentication": arn_of("pre_authentication"),
        }
        pool_id = call("CreateUserPool", {"PoolName": "p", "LambdaConfig": config})["UserPool"]["Id"]
        client = call(
            "CreateUserPoolClient",
            {"UserPoolId": pool_id, "ClientName": "c", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]},
        )["UserPoolClient"]["ClientId"]  # fmt: skip
        for name, address in (("ann", "ann@x.org"), ("eve", "eve@blocked.example")):
            new = {"ClientId": client, "Username": name, "Password": PASSWORD}
            assert call("SignUp", new | {"UserAttributes": listed(email=address)})["UserConfirmed"]
        user = call("AdminGetUser", {"UserPoolId": pool_id, "Username": "ann"})
        assert named(user["UserAttributes"])["email_verified"] == "true"
        assert [event["userName"] for event in told.events] == ["ann", "eve"]
        sign_in = {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH"}
        for name, outcome in (("ann", None), ("eve", "Cannot authenticate users from this domain")):
            parameters = sign_in | {"AuthParameters": {"USERNAME": name, "PASSWORD": PASSWORD}}
            if outcome is None:
                assert call("InitiateAuth", parameters)["AuthenticationResult"]
            else:
                assert refused(lambda operation, **members: call(operation, members), "InitiateAuth", **parameters) == (
                    "UserLambdaValidationException",
                    f"PreAuthentication failed with error {outcome}.",
                )
    finally:
        server.stop()
