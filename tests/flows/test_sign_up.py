"""Signing up and recovering with triggers that answer."""

from dataclasses import replace

import pytest

from poolhouse.core.message_limits import read_limit
from poolhouse.flows import recover, sign_up
from poolhouse.flows.calls import Origin, PublicCall
from poolhouse.flows.clients import get_app
from poolhouse.model import (
    AttributeType,
    LimitExceededException,
    SignUpRequest,
    UserLambdaValidationException,
    UserNotFoundException,
)
from poolhouse.triggers import Triggers
from tests.operations.talk import NO_USER, named, refusal, shown, sign_in

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
ALL = {"PreSignUp": FUNCTION, "PostConfirmation": FUNCTION, "UserMigration": FUNCTION}
WELCOME = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": False}


class Answering(Triggers):
    """Triggers whose functions are given by source; a source without one answers nothing."""

    def __init__(self, **functions):
        self.functions, self.asked = functions, []

    async def invoke(self, trigger, arn, event):
        source, request = event["triggerSource"], event["request"]
        self.asked.append((source, request))
        function = self.functions.get(source)
        return event | {"response": function(request) or {}} if function else event

    @property
    def sources(self):
        return [source for source, _ in self.asked if not source.startswith("Custom")]


def refuse(event):
    raise UserLambdaValidationException("PreSignUp failed with error no.")


@pytest.fixture
def house(server, pool, app):
    """A pool with triggers, its client, and what runs a flow with those triggers."""

    def make(triggers, **settings):
        pool_id = pool(**{"LambdaConfig": ALL, "AutoVerifiedAttributes": ["email"]} | settings)
        client = app(pool_id)

        def run(flow, *arguments, limits=()):
            deps = replace(server.deps, triggers=triggers, message_limits=tuple(map(read_limit, limits)))
            call = PublicCall(deps=deps, now=server.clock.now(), origin=Origin(request_id="test"))
            found = server.read(lambda tx: get_app(call, tx, client["ClientId"]))
            return server.run(flow(call, *found, *arguments))

        return pool_id, client, run

    return make


def request_for(client, username="ann", *, validation=None, metadata=None, **attributes):
    return SignUpRequest(
        client_id=client["ClientId"],
        username=username,
        password="Correct-Horse-1",
        user_attributes=[AttributeType(name=name, value=value) for name, value in attributes.items()],
        validation_data=[AttributeType(name=name, value=value) for name, value in (validation or {}).items()],
        client_metadata=metadata,
    )


def test_a_trigger_confirms_and_verifies(call, house, inbox):
    """An auto-confirmed user gets no code, is announced, and signs in at once."""
    triggers = Answering(PreSignUp_SignUp=lambda event: WELCOME)
    pool_id, client, run = house(triggers)

    answer = run(sign_up.sign_up, request_for(client, email="auto@x.org"))

    assert answer.user_confirmed is True
    assert answer.code_delivery_details is None
    assert inbox("auto@x.org") == []
    assert triggers.sources == ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]
    shown = call("AdminGetUser", UserPoolId=pool_id, Username="ann")
    assert shown["UserStatus"] == "CONFIRMED"
    assert named(shown["UserAttributes"])["email_verified"] == "true"
    assert sign_in(call, client, "ann")


def test_triggers_are_told_what_was_sent(house):
    """Validation data and metadata reach the function, the password does not."""
    triggers = Answering()
    _, client, run = house(triggers)

    run(sign_up.sign_up, request_for(client, validation={"k": "v"}, metadata={"m": "n"}, email="told@x.org"))

    source, event = triggers.asked[0]
    assert source == "PreSignUp_SignUp"
    assert event["validationData"] == {"k": "v"}
    assert event["clientMetadata"] == {"m": "n"}
    assert event["userAttributes"]["email"] == "told@x.org"
    assert "Correct-Horse-1" not in str(event)


def test_a_code_too_many(call, house, inbox, caplog):
    """The user is made nevertheless, as the API reference says, and can ask for a code later."""
    pool_id, client, run = house(Answering())
    limits = ["email-destination=1/hour"]
    run(sign_up.sign_up, request_for(client, email="one@x.org"), limits=limits)
    with pytest.raises(LimitExceededException):
        run(sign_up.sign_up, request_for(client, "bob", email="ONE@x.org"), limits=limits)
    assert shown(call, pool_id, "bob")["UserStatus"] == "UNCONFIRMED"
    assert inbox("ONE@x.org") == []
    assert caplog.text.count("one too many") == 1
    call("ResendConfirmationCode", ClientId=client["ClientId"], Username="bob")
    assert len(inbox("ONE@x.org")) == 1


def test_a_trigger_refuses(call, house):
    """Nobody is stored against a function's will."""
    pool_id, client, run = house(Answering(PreSignUp_SignUp=refuse))

    with pytest.raises(UserLambdaValidationException):
        run(sign_up.sign_up, request_for(client))

    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username="ann") == NO_USER


def test_a_verified_alias_leaves_its_owner(call, house):
    """An address that the trigger verifies is taken from whoever had it."""
    pool_id, client, run = house(Answering(PreSignUp_SignUp=lambda event: WELCOME), AliasAttributes=["email"])

    for username in ("owner", "heir"):
        run(sign_up.sign_up, request_for(client, username, email="taken@x.org"))

    assert call("AdminGetUser", UserPoolId=pool_id, Username="taken@x.org")["Username"] == "heir"
    owner = call("AdminGetUser", UserPoolId=pool_id, Username="owner")
    assert named(owner["UserAttributes"])["email_verified"] == "false"


def test_a_failing_announcement_leaves_the_user_confirmed(call, house, inbox):
    """The error of the post confirmation trigger is told, and changes nothing."""
    triggers = Answering(PostConfirmation_ConfirmSignUp=refuse)
    pool_id, client, run = house(triggers)
    run(sign_up.sign_up, request_for(client, email="announce@x.org"))

    with pytest.raises(UserLambdaValidationException):
        run(sign_up.confirm, "ann", inbox("announce@x.org")[-1].code, False, None)

    assert call("AdminGetUser", UserPoolId=pool_id, Username="ann")["UserStatus"] == "CONFIRMED"


def test_recovery_consults(call, house, inbox):
    """Unknown users are asked for, and a recovered password is announced."""
    triggers = Answering(PreSignUp_SignUp=lambda event: WELCOME)
    _, client, run = house(triggers)
    run(sign_up.sign_up, request_for(client, email="consult@x.org"))
    run(recover.forgot, "ann", None)
    run(recover.confirm_forgot, "ann", inbox("consult@x.org")[-1].code, "Battery-Staple-2", {"m": "n"})

    source, event = triggers.asked[-1]
    assert source == "PostConfirmation_ConfirmForgotPassword"
    assert event["clientMetadata"] == {"m": "n"}
    with pytest.raises(UserNotFoundException, match="combination not found"):
        run(recover.forgot, "nobody", None)
    assert triggers.sources[-1] == "UserMigration_ForgotPassword"
