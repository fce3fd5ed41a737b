"""Risk configurations over the wire, and what they do to sign-ins (spec/api/07 §2 and §3)."""

import pytest

from tests.operations.refusals import refused, unchecked
from tests.operations.talk import refusal, sign_in, sign_in_refusal

OFF = "Threat protection is not enabled for the user pool."
BLOCKED = ("NotAuthorizedException", "Unable to login because of security reasons.")
SET, DESCRIBE = "SetRiskConfiguration", "DescribeRiskConfiguration"
ARN = "arn:aws:ses:us-east-1:000000000000:identity/a@example.org"
MAIL = {"Subject": "Blocked", "HtmlBody": "<p>Blocked</p>", "TextBody": "Blocked"}
FULL = {
    "CompromisedCredentialsRiskConfiguration": {"EventFilter": ["SIGN_IN"], "Actions": {"EventAction": "BLOCK"}},
    "AccountTakeoverRiskConfiguration": {
        "NotifyConfiguration": {
            "From": "a@example.org",
            "ReplyTo": "b@example.org",
            "SourceArn": ARN,
            "BlockEmail": MAIL,
        },
        "Actions": {
            "LowAction": {"Notify": False, "EventAction": "NO_ACTION"},
            "MediumAction": {"Notify": True, "EventAction": "MFA_IF_CONFIGURED"},
            "HighAction": {"Notify": True, "EventAction": "BLOCK"},
        },
    },
    "RiskExceptionConfiguration": {"BlockedIPRangeList": ["192.0.2.0/24"], "SkippedIPRangeList": ["2001:db8::/32"]},
}


def protected(mode="ENFORCED"):
    return {"UserPoolTier": "PLUS", "UserPoolAddOns": {"AdvancedSecurityMode": mode}}


def blocking(*ranges):
    return {"RiskExceptionConfiguration": {"BlockedIPRangeList": list(ranges)}}


def test_nothing_is_set_at_first(call, pool, app):
    """The answer names the pool, and the client where that is asked for."""
    pool_id = pool(**protected("AUDIT"))
    client_id = app(pool_id)["ClientId"]
    assert call(DESCRIBE, UserPoolId=pool_id) == {"RiskConfiguration": {"UserPoolId": pool_id}}
    ids = {"UserPoolId": pool_id, "ClientId": client_id}
    assert call(DESCRIBE, **ids) == {"RiskConfiguration": ids}


def test_what_is_set_is_shown(call, pool, app, server):
    """Pool and client each have their own; the date is shown by Describe alone; setting replaces the whole."""
    pool_id = pool(**protected())
    ids = {"UserPoolId": pool_id, "ClientId": app(pool_id)["ClientId"]}
    for where in ({"UserPoolId": pool_id}, ids):
        assert call(SET, **where, **FULL)["RiskConfiguration"] == where | FULL
        shown = call(DESCRIBE, **where)["RiskConfiguration"]
        assert abs(shown.pop("LastModifiedDate").timestamp() - server.clock.now() / 1000) < 60
        assert shown == where | FULL
    part = {"RiskExceptionConfiguration": FULL["RiskExceptionConfiguration"]}
    assert call(SET, **ids, **part)["RiskConfiguration"] == ids | part
    assert set(call(DESCRIBE, **ids)["RiskConfiguration"]) == {*ids, *part, "LastModifiedDate"}
    assert set(call(DESCRIBE, UserPoolId=pool_id)["RiskConfiguration"]) > set(FULL)


def test_ids_alone_reset(call, pool, app):
    """Those of a pool bring the defaults back, those of a client its pool's configuration."""
    pool_id = pool(**protected())
    ids = {"UserPoolId": pool_id, "ClientId": app(pool_id)["ClientId"]}
    for where in ({"UserPoolId": pool_id}, ids):
        call(SET, **where, **FULL)
        assert call(SET, **where)["RiskConfiguration"] == where
        assert call(DESCRIBE, **where)["RiskConfiguration"] == where


def test_events_default_to_all(call, pool):
    """Without EventFilter, compromised credentials count everywhere."""
    actions = {"Actions": {"EventAction": "NO_ACTION"}}
    answer = call(SET, UserPoolId=pool(**protected()), CompromisedCredentialsRiskConfiguration=actions)
    filter_ = answer["RiskConfiguration"]["CompromisedCredentialsRiskConfiguration"]["EventFilter"]
    assert filter_ == ["SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"]


@pytest.mark.parametrize(
    ("members", "text"),
    [
        *(
            (blocking(bad), "BlockedIPRangeList must contain IP address ranges in CIDR notation.")
            for bad in ("", "10.0.0.1", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "x/8", "::/129", "fe80::%eth0/64", "1/8/8")
        ),
        (
            {"RiskExceptionConfiguration": {"SkippedIPRangeList": ["10.0.0.0"]}},
            "SkippedIPRangeList must contain IP address ranges in CIDR notation.",
        ),
        (blocking(*["10.0.0.0/8"] * 201), "Member must have length less than or equal to 200"),
        (
            {"AccountTakeoverRiskConfiguration": {"Actions": {"LowAction": {"Notify": True, "EventAction": "BLOCK"}}}},
            "NotifyConfiguration is required when an action has Notify set to true.",
        ),
        *(
            (
                {
                    "AccountTakeoverRiskConfiguration": {
                        "Actions": {},
                        "NotifyConfiguration": {"SourceArn": ARN, member: bad},
                    }
                },
                f"Provided {member} email address is invalid",
            )
            for member in ("From", "ReplyTo")
            for bad in ("nobody", "A\r\nBcc: b@b.example <a@b.example>")
        ),
        (
            {"AccountTakeoverRiskConfiguration": {"Actions": {"LowAction": {"Notify": False, "EventAction": "MAYBE"}}}},
            "Member must satisfy enum value set",
        ),
        (
            {"AccountTakeoverRiskConfiguration": {"Actions": {}, "NotifyConfiguration": {"From": "a@example.org"}}},
            "Member must not be null",
        ),
        ({"CompromisedCredentialsRiskConfiguration": {"EventFilter": ["SIGN_IN"]}}, "Member must not be null"),
        (
            {"CompromisedCredentialsRiskConfiguration": {"EventFilter": ["X"], "Actions": {"EventAction": "BLOCK"}}},
            "Member must satisfy enum value set",
        ),
    ],
)
def test_constraints(server, pool, members, text):
    """Every refusal is an InvalidParameterException and changes nothing."""
    pool_id = pool(**protected())
    assert text in refused(unchecked(server), "InvalidParameterException", SET, UserPoolId=pool_id, **members)


def test_pools_without_threat_protection(call, pool):
    """Neither by default nor when it is switched off again; who switches it on needs the Plus plan."""
    plain, switched = pool(), pool(**protected())
    call("UpdateUserPool", UserPoolId=switched, UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "OFF"})
    for pool_id in (plain, switched):
        for operation in (SET, DESCRIBE):
            assert refused(call, "UserPoolAddOnNotEnabledException", operation, UserPoolId=pool_id) == OFF
    name = {"PoolName": "x", "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}
    assert "Threat Protection" in refused(call, "FeatureUnavailableInTierException", "CreateUserPool", **name)


def test_what_is_not_there(call, pool, app):
    """Pools and clients that are not there, or are another pool's, are not found."""
    pool_id, other = pool(**protected()), pool(**protected())
    for operation in (SET, DESCRIBE):
        refused(call, "ResourceNotFoundException", operation, UserPoolId="us-east-1_nowhere")
        for client_id in ("nowhere", app(other)["ClientId"]):
            refused(call, "ResourceNotFoundException", operation, UserPoolId=pool_id, ClientId=client_id)


def test_blocked_addresses(call, pool, app, user):
    """Nobody signs in from there, whether or not there is such a user; a client's own list replaces its pool's."""
    pool_id = pool(**protected())
    client = app(pool_id, PreventUserExistenceErrors="ENABLED")
    name = user(pool_id)
    call(SET, UserPoolId=pool_id, **blocking("10.0.0.0/8", "127.0.0.0/8"))
    assert sign_in_refusal(call, client, name) == BLOCKED
    assert sign_in_refusal(call, client, name, "wrong") == BLOCKED
    assert sign_in_refusal(call, client, "nobody") == BLOCKED
    [event, *_] = call("AdminListUserAuthEvents", UserPoolId=pool_id, Username=name)["AuthEvents"]
    assert event["EventRisk"] == {"RiskDecision": "Block"}
    assert (event["EventResponse"], event["ChallengeResponses"]) == ("Fail", [])
    call(SET, UserPoolId=pool_id, ClientId=client["ClientId"], **blocking("10.0.0.0/8"))
    assert sign_in(call, client, name)["AccessToken"]


def test_audit_alters_no_answer(call, pool, app, user):
    """A blocked address signs in, and the event says that nothing was done (spec/api/07 §3)."""
    pool_id = pool(**protected("AUDIT"))
    name = user(pool_id)
    call(SET, UserPoolId=pool_id, **blocking("127.0.0.0/8"))
    assert sign_in(call, app(pool_id), name)["AccessToken"]
    [event] = call("AdminListUserAuthEvents", UserPoolId=pool_id, Username=name)["AuthEvents"]
    assert (event["EventResponse"], event["EventRisk"]) == (
        "Pass",
        {"RiskDecision": "NoRisk", "CompromisedCredentialsDetected": False},
    )


def test_the_address_is_the_users_own(call, pool, app, user):
    """Where an administrator's application tells it; a wrong one is refused."""
    pool_id = pool(**protected())
    client, name = app(pool_id), user(pool_id)
    call(SET, UserPoolId=pool_id, **blocking("192.0.2.0/24"))
    attempt = {
        "UserPoolId": pool_id,
        "ClientId": client["ClientId"],
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": name, "PASSWORD": "Correct-Horse-1"},
    }
    data = {"ServerName": "s", "ServerPath": "/", "HttpHeaders": []}
    assert refusal(call, "AdminInitiateAuth", **attempt, ContextData=data | {"IpAddress": "192.0.2.9"}) == BLOCKED
    assert call("AdminInitiateAuth", **attempt, ContextData=data | {"IpAddress": "198.51.100.1"})
    code, _ = refusal(call, "AdminInitiateAuth", **attempt, ContextData=data | {"IpAddress": "here"})
    assert code == "InvalidParameterException"
