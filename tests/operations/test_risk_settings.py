"""What each part of a risk configuration does: actions by level, mail by outcome, exceptions (spec/api/07 §2, §3)."""

import pytest
from botocore.exceptions import ClientError

from poolhouse.datafiles.places import Places
from tests.datafiles.mmdb import city, write_mmdb
from tests.operations.owner import SENDER, TOTP, Owner
from tests.operations.talk import PASSWORD
from tests.operations.test_custom_senders import sender, wait
from tests.operations.test_risk_sign_in import BLOCKED, CHROME, FIREFOX, HOME, Visitor, actions, protected, risk

# In the same country with another browser; in another country, somewhere; in another country, and too far away.
AWAY = {"Low": ("9.9.9.9", CHROME), "Medium": ("6.6.6.6", FIREFOX), "High": ("7.7.7.7", FIREFOX)}
RECORDS = {
    "8.8.4.0/24": city("Berlin", "Germany", 52.5, 13.4),
    "9.9.9.0/24": city("Potsdam", "Germany", 52.4, 13.1),
    "6.6.6.0/24": {"country": {"names": {"en": "Japan"}}},
    "7.7.7.0/24": city("Tokyo", "Japan", 35.7, 139.7),
}
ASKED = "SOFTWARE_TOKEN_MFA"


@pytest.fixture
def places(server, tmp_path):
    """A file of places."""
    object.__setattr__(server.deps, "places", Places(write_mmdb(tmp_path / "places.mmdb", RECORDS)))
    yield
    object.__setattr__(server.deps, "places", Places())


@pytest.fixture
def ann(call, pool, app, user, server):
    """A user whose authenticator app is turned off, and who has signed in from home."""
    pool_id = pool(**protected(), EmailConfiguration=SENDER)
    name = user(pool_id, email=f"{pool_id}@risk.example", email_verified="true")
    made = Visitor(call, pool_id, app(pool_id), name)
    made.address = f"{pool_id}@risk.example"
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    owner = Owner(server, call, made.client, pool_id, name)
    owner.has_an_app()
    owner.does("SetUserMFAPreference", SoftwareTokenMfaSettings={"Enabled": False})
    made.sets(**actions("NO_ACTION"))
    made.signs_in(HOME)
    return made


def at_level(level, action):
    """An action for one level, and the opposite for the others."""
    other = "NO_ACTION" if action == "BLOCK" else "BLOCK"
    chosen = {
        f"{each}Action": {"Notify": False, "EventAction": action if each == level else other}
        for each in ("Low", "Medium", "High")
    }
    return {"AccountTakeoverRiskConfiguration": {"Actions": chosen}}


@pytest.mark.parametrize("level", AWAY)
def test_each_action_for_each_level(ann, places, level):
    """Whatever the other levels' are: blocked, asked for a factor, let pass."""
    ann.sets(**at_level(level, "BLOCK"))
    assert ann.may_not(AWAY[level]) == BLOCKED
    assert ann.last() == ("Fail", risk("Block", level))
    for action in ("MFA_REQUIRED", "MFA_IF_CONFIGURED"):
        ann.sets(**at_level(level, action))
        assert ann.begins(AWAY[level])["ChallengeName"] == ASKED
        assert ann.last() == ("InProgress", risk("AccountTakeover", level))
    ann.sets(**at_level(level, "NO_ACTION"))
    assert ann.signs_in(AWAY[level])
    assert ann.last() == ("Pass", risk("AccountTakeover", level))


OUTCOMES = [
    ("BLOCK", "BlockEmail", "Blocked sign-in attempt", "We blocked an unrecognized sign-in"),
    ("MFA_REQUIRED", "MfaEmail", "New sign-in attempt", "We required you to use multi-factor authentication"),
    ("NO_ACTION", "NoActionEmail", "New sign-in attempt", "We observed an unrecognized sign-in"),
]


@pytest.mark.parametrize(("action", "member", "subject", "beginning"), OUTCOMES)
def test_each_outcome_has_its_mail(ann, inbox, action, member, subject, beginning):
    """In the pool's words for that outcome, else in Cognito's; none where the level's action does not ask for it."""
    own = {name: {"Subject": f"My {name}", "TextBody": name} for _, name, *_ in OUTCOMES}
    others = {name: words for name, words in own.items() if name != member}
    for number, notify in enumerate((own, others, None)):
        ann.sets(**actions(action, notify=notify))
        # Another place and browser each time: what passed is known.
        strange = (f"9.{number}.9.9", (CHROME, "curl/8.5.0", "Wget/1.21")[number])
        if action == "BLOCK":
            assert ann.may_not(strange) == BLOCKED
        else:
            assert ann.begins(strange)
    mine, default = inbox(ann.address)
    assert (mine.subject, mine.text) == (f"My {member}", member)
    assert default.subject == subject
    assert default.text.startswith(beginning)


@pytest.mark.parametrize(
    ("address", "blocked"),
    [
        ("2001:db8::7", True),
        ("2001:DB8:0:0::8", True),
        ("2001:db9::7", False),
        ("192.0.2.9", True),
        ("::ffff:192.0.2.9", True),
        ("192.0.3.9", False),
        ("198.51.100.7", True),
    ],
)
def test_blocked_ranges(ann, address, blocked):
    """Of both versions of the protocol, IPv4 in the clothes of IPv6 too, and whatever is skipped besides."""
    exceptions = {
        "BlockedIPRangeList": ["2001:db8::/32", "192.0.2.0/24", "198.51.100.7/32"],
        "SkippedIPRangeList": ["198.51.100.0/24"],
    }
    ann.sets(**actions("NO_ACTION", RiskExceptionConfiguration=exceptions))
    if blocked:
        assert ann.may_not((address, FIREFOX)) == BLOCKED
        assert ann.may_not((address, FIREFOX), "wrong") == BLOCKED
    else:
        assert ann.signs_in((address, FIREFOX))


@pytest.mark.parametrize(("address", "skipped"), [("2a00::7", True), ("9.9.9.9", True), ("2a01::7", False)])
def test_skipped_ranges(ann, address, skipped):
    """What comes from there is not assessed."""
    exceptions = {"SkippedIPRangeList": ["2a00::/16", "9.9.9.9/32"]}
    ann.sets(**actions("BLOCK", RiskExceptionConfiguration=exceptions))
    if skipped:
        assert ann.signs_in((address, CHROME))
        assert ann.last() == ("Pass", {"RiskDecision": "NoRisk"})
    else:
        assert ann.may_not((address, CHROME)) == BLOCKED


@pytest.mark.parametrize("event", ["SIGN_IN", "SIGN_UP", "PASSWORD_CHANGE"])
@pytest.mark.parametrize("action", ["BLOCK", "NO_ACTION"])
def test_events_of_compromised_passwords(call, ann, event, action):
    """A password that attackers know is refused at the events of the filter, if that is the action."""
    known = "P@ssw0rd"
    credentials = {"EventFilter": [event], "Actions": {"EventAction": action}}
    ids = {"UserPoolId": ann.pool_id, "Username": ann.name}
    token = ann.signs_in(HOME)["AccessToken"]
    ann.sets(CompromisedCredentialsRiskConfiguration=credentials)
    refused = {
        "SIGN_UP": _is_refused(call, "SignUp", ClientId=ann.client["ClientId"], Username="new", Password=known),
        "PASSWORD_CHANGE": _is_refused(
            call, "ChangePassword", AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=known
        ),
    }
    call("AdminSetUserPassword", **ids, Password=known, Permanent=True)
    refused["SIGN_IN"] = _is_refused(call, "AdminInitiateAuth", **ann.attempt(HOME, known))
    assert {name for name, is_so in refused.items() if is_so} == ({event} if action == "BLOCK" else set())


def _is_refused(call, operation, **members):
    try:
        call(operation, **members)
    except ClientError:
        return True
    return False


def test_the_pools_own_sender_of_mail(call, ann, functions, inbox):
    """It is told in the place of the mail: of the event, of what was done, and of the links (spec/api/06 §10)."""
    arn = functions.add()
    call(
        "UpdateUserPool",
        UserPoolId=ann.pool_id,
        **protected(),
        EmailConfiguration=SENDER,
        LambdaConfig=sender("CustomEmailSender", arn),
    )
    ann.sets(**actions("BLOCK", notify={}))
    assert ann.may_not(AWAY["Low"]) == BLOCKED
    [event] = wait(lambda: functions.events(arn))
    assert (event["triggerSource"], event["userName"]) == ("CustomEmailSender_AccountTakeOverNotification", ann.name)
    told = event["request"]["userAttributes"]
    assert (event["request"]["type"], event["request"]["code"]) == ("customEmailSenderRequestV1", None)
    assert told["EVENT_ID"] == ann.events()[0]["EventId"]
    assert (told["USER_NAME"], told["IP_ADDRESS"], told["ACCOUNT_TAKE_OVER_ACTION"]) == (ann.name, "9.9.9.9", "BLOCK")
    assert f"token={told['FEEDBACK_TOKEN']}" in told["ONE_CLICK_LINK_VALID"]
    assert inbox(ann.address) == []
