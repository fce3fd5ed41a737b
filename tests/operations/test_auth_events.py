"""What threat protection remembers of users, and feedback on it (spec/api/07 §4 and §5)."""

import base64
import json

import pytest
from pycognito.aws_srp import AWSSRP

from poolhouse.core.auth_events import RETENTION, AuthEvent
from poolhouse.flows import feedback
from poolhouse.flows.calls import Origin, PublicCall
from poolhouse.model import EventResponseType, EventType
from tests.operations.refusals import refused
from tests.operations.talk import (
    OTHER_PASSWORD,
    PASSWORD,
    confirm,
    other,
    refusal,
    secret_hash,
    sign_in,
    sign_in_refusal,
    sign_up,
)

LIST, ADMIN_FEEDBACK, FEEDBACK = "AdminListUserAuthEvents", "AdminUpdateAuthEventFeedback", "UpdateAuthEventFeedback"
OFF = "Threat protection is not enabled for the user pool."
PROTECTED = {"UserPoolTier": "PLUS", "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}
PASSED = [{"ChallengeName": "Password", "ChallengeResponse": "Success"}]
FAILED = [{"ChallengeName": "Password", "ChallengeResponse": "Failure"}]


@pytest.fixture
def ann(call, pool, app, user):
    """A pool with threat protection, a client and a user in it."""
    pool_id = pool(**PROTECTED)
    return pool_id, app(pool_id), user(pool_id, "ann")


def events_of(call, pool_id, username="ann", **members):
    return call(LIST, UserPoolId=pool_id, Username=username, **members)["AuthEvents"]


def told(event):
    return event["EventType"], event["EventResponse"]


def stories(call, pool_id, username):
    """Types and responses, oldest first."""
    return [told(event) for event in reversed(events_of(call, pool_id, username))]


def event_id_of(tokens):
    return json.loads(base64.urlsafe_b64decode(tokens["AccessToken"].split(".")[1] + "==="))["event_id"]


def test_a_sign_in(call, ann, server):
    """The event's id is the one that tokens name; address and device are the caller's."""
    pool_id, client, _ = ann
    tokens = sign_in(call, client, "ann")
    [event] = events_of(call, pool_id)
    assert abs(event.pop("CreationDate").timestamp() - server.clock.now() / 1000) < 60
    context = event.pop("EventContextData")
    assert context["IpAddress"] == "127.0.0.1"
    assert context["DeviceName"].startswith("Boto3 1,")
    assert event == {
        "EventId": event_id_of(tokens),
        "EventType": "SignIn",
        "EventResponse": "Pass",
        "EventRisk": {"RiskDecision": "NoRisk", "CompromisedCredentialsDetected": False},
        "ChallengeResponses": PASSED,
    }


def test_a_sign_in_is_one_write(call, ann, server, monkeypatch):
    """The event goes with what the last step writes anyway."""
    writes, write = [], server.store.write

    def counted(_, work):
        if "installation" not in work.__module__:  # signing keys for later pools are made all the time
            writes.append(work)
        return write(work)

    monkeypatch.setattr(type(server.store), "write", counted)
    _, client, _ = ann
    tokens = sign_in(call, client, "ann")
    assert len(writes) == 1
    assert sign_in_refusal(call, client, "ann", "wrong")
    assert len(writes) == 2
    call("GetUser", AccessToken=tokens["AccessToken"])
    assert len(writes) == 2


def test_a_sign_in_by_srp(call, ann, cognito):
    """Nothing is recorded until the proof comes: asking for the challenge alone shows nothing."""
    pool_id, client, _ = ann

    def srp(password):
        ids = {"pool_id": pool_id, "client_id": client["ClientId"]}
        return AWSSRP(username="ann", password=password, client=cognito, **ids)

    begun = srp(PASSWORD).get_auth_params()
    call("InitiateAuth", ClientId=client["ClientId"], AuthFlow="USER_SRP_AUTH", AuthParameters=begun)
    assert events_of(call, pool_id) == []
    tokens = srp(PASSWORD).authenticate_user()["AuthenticationResult"]
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        srp("wrong").authenticate_user()
    failed, passed = events_of(call, pool_id)
    assert (told(failed), failed["ChallengeResponses"]) == (("SignIn", "Fail"), FAILED)
    assert (told(passed), passed["ChallengeResponses"]) == (("SignIn", "Pass"), PASSED)
    assert event_id_of(tokens) == passed["EventId"]


def test_a_wrong_password(call, ann):
    """It is told from one that was not looked at; nobody is told about users that there are not."""
    pool_id, client, _ = ann
    sign_in_refusal(call, client, "ann", "wrong")
    assert [(told(event), event["ChallengeResponses"]) for event in events_of(call, pool_id)] == [
        (("SignIn", "Fail"), FAILED)
    ]
    call("AdminDisableUser", UserPoolId=pool_id, Username="ann")
    sign_in_refusal(call, client, "ann")
    [event, _] = events_of(call, pool_id)
    assert (told(event), event["ChallengeResponses"]) == (("SignIn", "Fail"), [])


def test_a_sign_in_of_two_steps(call, ann, server):
    """One event from the first step on: in progress, then passed, at the time that it began at."""
    pool_id, client, _ = ann
    call("AdminSetUserPassword", UserPoolId=pool_id, Username="ann", Password=PASSWORD, Permanent=False)
    begun = call(
        "InitiateAuth",
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )
    [before] = events_of(call, pool_id)
    assert told(before) == ("SignIn", "InProgress")
    server.clock.advance(5)
    answer = {
        "ClientId": client["ClientId"],
        "ChallengeName": begun["ChallengeName"],
        "Session": begun["Session"],
        "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": OTHER_PASSWORD},
    }
    weak = answer | {"ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": "x"}}
    refused(call, "InvalidPasswordException", "RespondToAuthChallenge", **weak)
    assert events_of(call, pool_id) == [before]
    tokens = call("RespondToAuthChallenge", **answer)["AuthenticationResult"]
    assert events_of(call, pool_id) == [before | {"EventResponse": "Pass"}]
    assert event_id_of(tokens) == before["EventId"]
    refused(call, "NotAuthorizedException", "RespondToAuthChallenge", **answer)
    assert events_of(call, pool_id) == [before | {"EventResponse": "Pass"}]


def test_signing_up(call, pool, app, inbox):
    """In progress until the code is right; sending it again is an event of its own."""
    pool_id = pool(**PROTECTED, AutoVerifiedAttributes=["email"])
    client, address = app(pool_id), "ann-of-events@example.org"
    sign_up(call, client, "ann", email=address)
    assert stories(call, pool_id, "ann") == [("SignUp", "InProgress")]
    call("ResendConfirmationCode", ClientId=client["ClientId"], Username="ann")
    code = inbox(address)[-1].code
    refusal(call, "ConfirmSignUp", ClientId=client["ClientId"], Username="ann", ConfirmationCode=other(code))
    assert stories(call, pool_id, "ann") == [("SignUp", "Fail"), ("ResendCode", "Pass")]
    confirm(call, client, "ann", code)
    assert stories(call, pool_id, "ann") == [("SignUp", "Pass"), ("ResendCode", "Pass")]
    sign_up(call, client, "bob")
    call("AdminConfirmSignUp", UserPoolId=pool_id, Username="bob")
    assert stories(call, pool_id, "bob") == [("SignUp", "Pass")]


def test_passwords(call, pool, app, user, inbox):
    """A forgotten one is one event from the first code to the new password; a change is one, a refused one too."""
    pool_id = pool(**PROTECTED)
    client, address = app(pool_id), "ann-of-recovery@example.org"
    user(pool_id, "ann", email=address, email_verified="true")
    ids = {"ClientId": client["ClientId"], "Username": "ann"}
    call("ForgotPassword", **ids)
    assert stories(call, pool_id, "ann") == [("ForgotPassword", "InProgress")]
    code = inbox(address)[-1].code
    new = ids | {"Password": OTHER_PASSWORD}
    refusal(call, "ConfirmForgotPassword", **new, ConfirmationCode=other(code))
    assert stories(call, pool_id, "ann") == [("ForgotPassword", "Fail")]
    call("ConfirmForgotPassword", **new, ConfirmationCode=code)
    assert stories(call, pool_id, "ann") == [("ForgotPassword", "Pass")]
    token = sign_in(call, client, "ann", OTHER_PASSWORD)["AccessToken"]
    change = {"AccessToken": token, "ProposedPassword": PASSWORD}
    refusal(call, "ChangePassword", **change, PreviousPassword="wrong")
    call("ChangePassword", **change, PreviousPassword=OTHER_PASSWORD)
    assert stories(call, pool_id, "ann")[-2:] == [("PasswordChange", "Fail"), ("PasswordChange", "Pass")]
    call("AdminDisableUser", UserPoolId=pool_id, Username="ann")
    refusal(call, "ForgotPassword", **ids)
    assert stories(call, pool_id, "ann")[-1] == ("ForgotPassword", "Fail")


def test_nothing_without_threat_protection(call, pool, app, user):
    """What a pool does while it is off is not recorded; what was recorded before is there again when it is on."""
    pool_id = pool(**PROTECTED)
    client, name = app(pool_id), user(pool_id)
    sign_in(call, client, name)
    settings = {"UserPoolId": pool_id, "UserPoolTier": "PLUS"}
    call("UpdateUserPool", **settings, UserPoolAddOns={"AdvancedSecurityMode": "OFF"})
    sign_in(call, client, name)
    sign_in_refusal(call, client, name, "wrong")
    assert refused(call, "UserPoolAddOnNotEnabledException", LIST, UserPoolId=pool_id, Username=name) == OFF
    call("UpdateUserPool", **settings, UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"})
    assert stories(call, pool_id, name) == [("SignIn", "Pass")]


def test_asking_in_vain_fills_no_journal(call, ann, server):
    """Thirty refusals that look at no password are recorded in an hour, then no more until the next."""
    pool_id, client, _ = ann
    call("AdminDisableUser", UserPoolId=pool_id, Username="ann")
    for _ in range(32):
        sign_in_refusal(call, client, "ann")
    assert len(events_of(call, pool_id)) == 30
    server.clock.advance(3601)
    sign_in_refusal(call, client, "ann")
    server.clock.back_to_now()
    assert len(events_of(call, pool_id)) == 31


def test_context(call, pool, app, user):
    """A client with a secret and the setting tells its user's address and device; otherwise it is ignored."""
    pool_id = pool(**PROTECTED)
    user(pool_id, "ann")
    data = {"IpAddress": "192.0.2.77"}
    for propagates, address in ((True, "192.0.2.77"), (False, "127.0.0.1")):
        client = app(pool_id, GenerateSecret=True, EnablePropagateAdditionalUserContextData=propagates)
        parameters = {"USERNAME": "ann", "PASSWORD": PASSWORD, "SECRET_HASH": secret_hash(client, "ann")}
        attempt = {"ClientId": client["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
        call("InitiateAuth", **attempt, UserContextData=data)
        assert events_of(call, pool_id)[0]["EventContextData"]["IpAddress"] == address
    headers = [{"headerName": "user-agent", "headerValue": "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0"}]
    call(
        "AdminInitiateAuth",
        UserPoolId=pool_id,
        **attempt | {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH"},
        ContextData=data | {"ServerName": "s", "ServerPath": "/", "HttpHeaders": headers},
    )
    context = events_of(call, pool_id)[0]["EventContextData"]
    assert context == {"IpAddress": "192.0.2.77", "DeviceName": "Chrome 126, Windows 10"}


def fill(server, pool_id, count):
    """Store events of ann's, a minute apart."""

    def commit(tx):
        user = tx.users.find_by_username(pool_id, "ann")
        now = server.clock.now()
        for number in range(count):
            event = AuthEvent(
                id=f"event-{pool_id[-9:]}-{number}",
                pool_id=pool_id,
                user_id=user.id,
                at=now - number * 60_000,
                type=EventType.SignIn,
                response=EventResponseType.Pass,
            )
            tx.auth_events.put(event)

    server.write(commit)
    return [f"event-{pool_id[-9:]}-{number}" for number in range(count)]


def test_pages(call, ann, server, user):
    """Newest first, 60 at a time at most; a token continues its own list only."""
    pool_id, *_ = ann
    user(pool_id, "bob")
    ids = fill(server, pool_id, 62)
    for size, lengths in ((None, [60, 2]), (0, [60, 2]), (31, [31, 31])):
        members = {} if size is None else {"MaxResults": size}
        first = call(LIST, UserPoolId=pool_id, Username="ann", **members)
        second = call(LIST, UserPoolId=pool_id, Username="ann", NextToken=first["NextToken"], **members)
        assert [len(first["AuthEvents"]), len(second["AuthEvents"])] == lengths
        assert "NextToken" not in second
        assert [event["EventId"] for event in first["AuthEvents"] + second["AuthEvents"]] == ids
    for username, token in (("bob", first["NextToken"]), ("ann", "x")):
        refused(call, "InvalidParameterException", LIST, UserPoolId=pool_id, Username=username, NextToken=token)


def test_what_is_not_there(call, ann):
    """No pool, no user, no event."""
    pool_id, *_ = ann
    event = {"EventId": "none", "FeedbackValue": "Valid"}
    for operation, more in ((LIST, {}), (ADMIN_FEEDBACK, event)):
        refused(call, "ResourceNotFoundException", operation, UserPoolId="us-east-1_nowhere", Username="ann", **more)
        refused(call, "UserNotFoundException", operation, UserPoolId=pool_id, Username="nobody", **more)
    refused(call, "ResourceNotFoundException", ADMIN_FEEDBACK, UserPoolId=pool_id, Username="ann", **event)


def test_events_go_with_their_user_and_with_time(call, ann, server, user):
    """A deleted user takes them along, and two years later the sweeper takes them."""
    pool_id, *_ = ann
    fill(server, pool_id, 3)
    call("AdminDeleteUser", UserPoolId=pool_id, Username="ann")
    user(pool_id, "ann")
    assert events_of(call, pool_id) == []
    fill(server, pool_id, 3)
    while server.write(lambda tx: tx.sweep(server.clock.now() + RETENTION - 30_000, 1000)) >= 1000:
        pass
    assert len(events_of(call, pool_id)) == 1


def test_administrators_feedback(call, ann, user):
    """What was said last is shown; another user's event is none of this user's."""
    pool_id, client, _ = ann
    user(pool_id, "bob")
    sign_in(call, client, "ann")
    [event] = events_of(call, pool_id)
    ids = {"UserPoolId": pool_id, "Username": "ann", "EventId": event["EventId"]}
    for value in ("Valid", "Invalid"):
        assert call(ADMIN_FEEDBACK, **ids, FeedbackValue=value) == {}
        [after] = events_of(call, pool_id)
        given = after.pop("EventFeedback")
        assert (given["FeedbackValue"], given["Provider"]) == (value, "Admin")
        assert given["FeedbackDate"] >= event["CreationDate"]
        assert after == event
    bobs = ids | {"Username": "bob"}
    refused(call, "ResourceNotFoundException", ADMIN_FEEDBACK, **bobs, FeedbackValue="Valid")


def make_token(server, pool_id, event_id):
    """The token that the mail about an event would bring."""
    call = PublicCall(deps=server.deps, now=server.clock.now(), origin=Origin(request_id="r"))
    ann = server.read(lambda tx: tx.users.find_by_username(pool_id, "ann"))
    return feedback.make_token(call, pool_id, ann.id, event_id)


def test_users_feedback(call, ann, server, user):
    """By a token for this very event and user, for a week; without one nobody learns who there is."""
    pool_id, client, _ = ann
    user(pool_id, "bob")
    for _ in range(2):
        sign_in(call, client, "ann")
    [event, another] = events_of(call, pool_id)
    token = make_token(server, pool_id, event["EventId"])
    good = {
        "UserPoolId": pool_id,
        "Username": "ann",
        "EventId": event["EventId"],
        "FeedbackToken": token,
        "FeedbackValue": "Invalid",
    }
    assert call(FEEDBACK, **good) == {}
    [after, _] = events_of(call, pool_id)
    assert (after["EventFeedback"]["FeedbackValue"], after["EventFeedback"]["Provider"]) == ("Invalid", "User")
    for change in (
        {"Username": "bob"},
        {"EventId": another["EventId"]},
        {"FeedbackToken": token[:-2] + ("AA" if token[-2:] != "AA" else "BB")},
        {"FeedbackToken": "made-up", "Username": "nobody"},
    ):
        assert refused(call, "NotAuthorizedException", FEEDBACK, **good | change) == "Invalid feedback token."
    server.clock.advance(7 * 86_400 + 1)
    assert refused(call, "NotAuthorizedException", FEEDBACK, **good) == "Feedback token has expired."


def test_users_feedback_needs_pool_and_user(call, ann, pool, server):
    """A pool with threat protection, in which the user still is."""
    pool_id, client, _ = ann
    sign_in(call, client, "ann")
    [event] = events_of(call, pool_id)
    good = {"Username": "ann", "EventId": event["EventId"], "FeedbackValue": "Valid"}
    good["FeedbackToken"] = make_token(server, pool_id, event["EventId"])
    refused(call, "ResourceNotFoundException", FEEDBACK, UserPoolId="us-east-1_nowhere", **good)
    refused(call, "NotAuthorizedException", FEEDBACK, UserPoolId=pool(**PROTECTED), **good)
    assert refused(call, "UserPoolAddOnNotEnabledException", FEEDBACK, UserPoolId=pool(), **good) == OFF
    call("AdminDeleteUser", UserPoolId=pool_id, Username="ann")
    refused(call, "UserNotFoundException", FEEDBACK, UserPoolId=pool_id, **good)
