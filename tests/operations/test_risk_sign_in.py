"""What threat protection makes of sign-ins and of breached passwords (spec/api/07 §1, §3, §5)."""

import re
import urllib.error
import urllib.parse
import urllib.request

import msgspec
import pytest

from poolhouse.datafiles.places import Places
from poolhouse.flows import limits
from poolhouse.flows.calls import Origin, PublicCall
from tests.datafiles.mmdb import city, write_mmdb
from tests.operations.chooser import first_factors
from tests.operations.owner import SENDER, TOTP, Owner
from tests.operations.talk import OTHER_PASSWORD, PASSWORD, confirm, refusal, secret_hash, sign_in, sign_in_refusal

BLOCKED = ("NotAuthorizedException", "Unable to login because of security reasons.")
BARRED = ("InvalidPasswordException", "Provided password cannot be used for security reasons.")
RESET = ("PasswordResetRequiredException", "Password reset required for the user due to security reasons")
LOCKED = ("NotAuthorizedException", "Password attempts exceeded")
KNOWN_TO_ALL = "P@ssw0rd"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 Safari/537.36"
HOME, AWAY = ("8.8.4.4", FIREFOX), ("9.9.9.9", CHROME)
ARN = "arn:aws:ses:us-east-1:000000000000:identity/security@example.org"


def protected(mode="ENFORCED", **more):
    return {"UserPoolTier": "PLUS", "UserPoolAddOns": {"AdvancedSecurityMode": mode} | more}


def actions(action, notify=None, **more):
    each = {"Notify": notify is not None, "EventAction": action}
    takeover = {"Actions": {f"{level}Action": each for level in ("Low", "Medium", "High")}}
    if notify is not None:
        takeover["NotifyConfiguration"] = {"SourceArn": ARN} | notify
    return {"AccountTakeoverRiskConfiguration": takeover} | more


class Visitor:
    """A user who signs in through an application's server that tells where the user is."""

    def __init__(self, call, pool_id, client, name):
        self.call, self.pool_id, self.client, self.name = call, pool_id, client, name

    def attempt(self, place, password=PASSWORD, name=None):
        address, agent = place
        return {
            "UserPoolId": self.pool_id,
            "ClientId": self.client["ClientId"],
            "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": name or self.name, "PASSWORD": password},
            "ContextData": {
                "IpAddress": address,
                "ServerName": "s",
                "ServerPath": "/",
                "HttpHeaders": [{"headerName": "User-Agent", "headerValue": agent}],
            },
        }

    def begins(self, place, password=PASSWORD):
        return self.call("AdminInitiateAuth", **self.attempt(place, password))

    def signs_in(self, place, password=PASSWORD):
        return self.begins(place, password)["AuthenticationResult"]

    def may_not(self, place, password=PASSWORD, name=None):
        return refusal(self.call, "AdminInitiateAuth", **self.attempt(place, password, name))

    def events(self):
        return self.call("AdminListUserAuthEvents", UserPoolId=self.pool_id, Username=self.name)["AuthEvents"]

    def last(self):
        event = self.events()[0]
        return event["EventResponse"], event["EventRisk"]

    def sets(self, **configuration):
        self.call("SetRiskConfiguration", UserPoolId=self.pool_id, **configuration)


@pytest.fixture
def visitor(call, pool, app, user):
    """A user in a pool with threat protection who has signed in from home."""

    def make(mode="ENFORCED", **attributes):
        pool_id = pool(**protected(mode), EmailConfiguration=SENDER)
        ann = Visitor(call, pool_id, app(pool_id), user(pool_id, **attributes))
        ann.signs_in(HOME)
        return ann

    return make


def risk(decision, level, compromised=False):
    return {"RiskDecision": decision, "RiskLevel": level, "CompromisedCredentialsDetected": compromised}


def test_the_defaults_block(visitor):
    """A new device at a new place is a risk; home stays open, and so does either alone."""
    ann = visitor()
    assert ann.may_not(AWAY) == BLOCKED
    assert ann.last() == ("Fail", risk("Block", "Low"))
    assert ann.events()[0]["ChallengeResponses"] == [{"ChallengeName": "Password", "ChallengeResponse": "Success"}]
    assert ann.may_not(AWAY, "wrong")[1] == "Incorrect username or password."
    assert ann.signs_in((HOME[0], CHROME))
    assert ann.signs_in(AWAY)


@pytest.mark.usefixtures("still_clock")
def test_levels_have_actions_of_their_own(visitor):
    """What is set replaces the defaults; a level that is left out passes; a client's own replaces its pool's."""
    ann = visitor()
    medium = {"MediumAction": {"Notify": False, "EventAction": "BLOCK"}}
    ann.sets(AccountTakeoverRiskConfiguration={"Actions": medium})
    for _ in range(4):
        ann.may_not(AWAY, "wrong")
    assert ann.may_not(AWAY, "wrong")[0] == "NotAuthorizedException"
    # The fifth failure has locked the account for a second.
    assert ann.may_not(AWAY) == LOCKED


def test_failures_before_count(visitor, server):
    """A right password after many wrong ones, at a strange place, is a higher risk; a factor does not wash that off."""
    ann = visitor()
    medium = {"MediumAction": {"Notify": False, "EventAction": "BLOCK"}}
    ann.sets(AccountTakeoverRiskConfiguration={"Actions": medium})
    for _ in range(5):
        ann.may_not(AWAY, "wrong")
    server.clock.advance(2)
    for _ in range(2):
        assert ann.may_not(AWAY) == BLOCKED
        assert ann.last() == ("Fail", risk("Block", "Medium"))
    ann.call("SetRiskConfiguration", UserPoolId=ann.pool_id, ClientId=ann.client["ClientId"], **actions("NO_ACTION"))
    assert ann.signs_in(AWAY)
    assert ann.last() == ("Pass", risk("AccountTakeover", "Medium"))


def test_audit_and_skipped_addresses(visitor):
    """AUDIT records the level and alters no answer; nothing is assessed for a skipped address."""
    ann = visitor("AUDIT")
    assert ann.signs_in(AWAY)
    assert ann.last() == ("Pass", risk("AccountTakeover", "Low"))
    bob = visitor()
    bob.sets(
        **actions("BLOCK", RiskExceptionConfiguration={"SkippedIPRangeList": ["9.9.0.0/16"]}),
        CompromisedCredentialsRiskConfiguration={"Actions": {"EventAction": "BLOCK"}},
    )
    assert bob.signs_in(AWAY)
    assert bob.last() == ("Pass", {"RiskDecision": "NoRisk"})


def test_a_factor_is_asked_once(call, pool, app, user, server):
    """Of the user's authenticator app that sign-ins do not ask for; the next sign-in from there is as any other."""
    server.clock.advance(31 - server.clock.now() // 1000 % 30)
    pool_id = pool(**protected())
    ann = Visitor(call, pool_id, app(pool_id), user(pool_id))
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    owner = Owner(server, call, ann.client, pool_id, ann.name)
    owner.has_an_app()
    owner.does("SetUserMFAPreference", SoftwareTokenMfaSettings={"Enabled": False})
    ann.sets(**actions("NO_ACTION"))
    ann.signs_in(HOME)
    ann.sets(**actions("MFA_REQUIRED"))
    assert ann.signs_in(HOME)["AccessToken"]
    begun = ann.begins(AWAY)
    assert begun["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert ann.last() == ("InProgress", risk("AccountTakeover", "Low"))
    # Not to be got round by asking again.
    assert ann.begins(AWAY)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    server.clock.advance(30)
    answer = call(
        "AdminRespondToAuthChallenge",
        UserPoolId=pool_id,
        ClientId=ann.client["ClientId"],
        ContextData=ann.attempt(AWAY)["ContextData"],
        ChallengeName="SOFTWARE_TOKEN_MFA",
        Session=begun["Session"],
        ChallengeResponses={"USERNAME": ann.name, "SOFTWARE_TOKEN_MFA_CODE": owner.code()},
    )
    assert answer["AuthenticationResult"]
    [passed] = [event for event in ann.events() if len(event["ChallengeResponses"]) == 2]
    assert (passed["EventResponse"], passed["EventRisk"]) == ("Pass", risk("AccountTakeover", "Low"))
    assert ann.signs_in(AWAY)
    assert ann.last()[1]["RiskDecision"] == "NoRisk"


def test_the_same_factor_twice_is_one(call, pool, app, user, inbox):
    """Who came in by a code to the mailbox is asked for something else; without it the risk cannot be met."""
    settings = (
        protected() | first_factors("EMAIL_OTP") | {"EmailConfiguration": SENDER, "AutoVerifiedAttributes": ["email"]}
    )
    pool_id = pool(**settings)
    offered = {"EmailMfaConfiguration": {"Message": "Code {####}", "Subject": "Code"}}
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", **TOTP, **offered)
    mail = f"risk-{pool_id}@x.org".lower()
    client = app(
        pool_id, ExplicitAuthFlows=["ALLOW_USER_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )
    ann = Visitor(call, pool_id, client, user(pool_id, email=mail, email_verified="true"))
    ann.signs_in(HOME)
    ann.sets(**actions("MFA_REQUIRED"))
    attempt = ann.attempt(AWAY) | {"AuthFlow": "USER_AUTH"}
    attempt["AuthParameters"] = {"USERNAME": ann.name, "PREFERRED_CHALLENGE": "EMAIL_OTP"}
    asked = call("AdminInitiateAuth", **attempt)
    answer = {
        **{name: attempt[name] for name in ("UserPoolId", "ClientId", "ContextData")},
        "ChallengeName": "EMAIL_OTP",
        "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": ann.name, "EMAIL_OTP_CODE": inbox(mail)[-1].code},
    }
    assert refusal(call, "AdminRespondToAuthChallenge", **answer) == BLOCKED
    assert ann.begins(AWAY)["ChallengeName"] == "EMAIL_OTP"


def test_a_factor_that_nobody_has(visitor):
    """Required it blocks, if configured it is left out; in a pool without factors that holds for everybody."""
    ann = visitor(email="ann-mfa@example.org", email_verified="true")
    ann.sets(**actions("MFA_REQUIRED"))
    assert ann.may_not(AWAY) == BLOCKED
    ann.sets(**actions("MFA_IF_CONFIGURED"))
    assert ann.signs_in(AWAY)
    assert ann.last() == ("Pass", risk("AccountTakeover", "Low"))


def test_places(visitor, server, tmp_path):
    """With a file of places events tell city and country, and nobody is in two of them at once."""
    records = {"8.8.4.0/24": city("Berlin", "Germany", 52.5, 13.4), "9.9.9.0/24": city("Tokyo", "Japan", 35.7, 139.7)}
    object.__setattr__(server.deps, "places", Places(write_mmdb(tmp_path / "places.mmdb", records)))
    try:
        ann = visitor()
        assert ann.may_not((AWAY[0], FIREFOX)) == BLOCKED
        [away, home] = ann.events()
        assert (home["EventContextData"]["City"], home["EventContextData"]["Country"]) == ("Berlin", "Germany")
        assert away["EventContextData"]["City"] == "Tokyo"
        assert away["EventRisk"] == risk("Block", "High")
    finally:
        object.__setattr__(server.deps, "places", Places())


def fetch(url, data=None, **headers):
    request = urllib.request.Request(url, data and urllib.parse.urlencode(data).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_mail(visitor, inbox, server):
    """Blocked: the default words, the facts, and links that say whose it was; who says "mine" is let in afterwards."""
    address = "ann-risk@example.org"
    ann = visitor(email=address, email_verified="true")
    ann.sets(**actions("BLOCK", notify={"From": "Security <sec@example.org>"}))
    assert ann.may_not(AWAY) == BLOCKED
    [mail] = inbox(address)
    assert mail.subject == "Blocked sign-in attempt"
    assert mail.text.startswith("We blocked an unrecognized sign-in to your account with this information:\nTime: ")
    assert "\nDevice: Chrome 126, Windows 10\nLocation: unknown, unknown\nIf this sign-in was not by you" in mail.text
    assert mail.body.startswith("<!DOCTYPE html>")
    [yes, no] = sorted(re.findall(r"http\S+value=\w+&token=\S+", mail.text), reverse=True)
    assert ("value=Valid" in yes, "value=Invalid" in no) == (True, True)
    assert fetch(yes)[0] == 200
    assert ("Was this sign-in yours?" in fetch(yes)[1], "Yes, it was me" in fetch(yes)[1]) == (True, True)
    german = fetch(yes, **{"accept-language": "fr;q=0.4, de-CH"})[1]
    assert ('<html lang="de">' in german, "Ja, das war ich" in german) == (True, True)
    assert "EventFeedback" not in ann.events()[0]
    given = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(yes).query))
    status, page = fetch(yes, given)
    assert (status, "Thank you" in page) == (200, True)
    assert ann.events()[0]["EventFeedback"]["FeedbackValue"] == "Valid"
    assert ann.events()[0]["EventFeedback"]["Provider"] == "User"
    assert ann.signs_in(AWAY)
    fetch(yes, given | {"value": "Invalid"})
    page = yes.partition("?")[0]
    for bad in ({"token": "x"}, {"value": "Maybe"}):
        for answer in (fetch(f"{page}?{urllib.parse.urlencode(given | bad)}"), fetch(page, given | bad)):
            assert answer[0] == 400
    server.clock.advance(8 * 86_400)
    assert (fetch(yes)[0], fetch(yes, given)[0]) == (400, 400)


def test_mail_in_the_pools_own_words(visitor, inbox):
    """Values are HTML in HTML and plain in plain text; what is no placeholder stays; ten mails an hour at most."""
    address = "bob-risk@example.org"
    bob = visitor(email=address, email_verified="true")
    words = {
        "Subject": "New {device-name}",
        "HtmlBody": "<p>{ip-address} {username} {no-such} {one-click-link-valid}</p>",
        "TextBody": "{event-id} {feedback-token}",
    }
    text_only = {"Subject": "Text", "TextBody": "<{ip-address}>"}
    bob.sets(**actions("NO_ACTION", notify={"NoActionEmail": words, "BlockEmail": text_only}))
    assert bob.signs_in(AWAY)
    [mail] = inbox(address)
    assert mail.subject == "New Chrome 126, Windows 10"
    assert mail.body.startswith(f"<p>9.9.9.9 {bob.name} {{no-such}} http")
    assert "value=Valid&amp;token=" in mail.body
    event_id, token = mail.text.split(" ")
    assert event_id == bob.events()[0]["EventId"]
    judged = {"UserPoolId": bob.pool_id, "Username": bob.name, "EventId": event_id, "FeedbackToken": token}
    bob.call("UpdateAuthEventFeedback", **judged, FeedbackValue="Invalid")
    bob.sets(**actions("BLOCK", notify={"BlockEmail": text_only}))
    for _ in range(11):
        assert bob.may_not(AWAY) == BLOCKED
    assert len(inbox(address)) == 10
    assert (inbox(address)[-1].body, inbox(address)[-1].text) == ("<pre>&lt;9.9.9.9&gt;</pre>", "<9.9.9.9>")


def weak(call, visitor, password=KNOWN_TO_ALL):
    call("AdminSetUserPassword", UserPoolId=visitor.pool_id, Username=visitor.name, Password=password, Permanent=True)


def test_a_breached_password_at_sign_in(visitor, call):
    """It is void from then on, and the event says why; AUDIT lets it pass and tells; NO_ACTION too."""
    ann = visitor()
    ann.sets(CompromisedCredentialsRiskConfiguration={"Actions": {"EventAction": "NO_ACTION"}})
    weak(call, ann)
    assert ann.signs_in(HOME, KNOWN_TO_ALL)
    assert ann.last() == ("Pass", {"RiskDecision": "NoRisk", "CompromisedCredentialsDetected": True})
    ann.sets()
    assert ann.may_not(HOME, KNOWN_TO_ALL) == RESET
    assert ann.last() == ("Fail", {"RiskDecision": "Block", "CompromisedCredentialsDetected": True})
    shown = call("AdminGetUser", UserPoolId=ann.pool_id, Username=ann.name)
    assert shown["UserStatus"] == "RESET_REQUIRED"
    assert ann.may_not(HOME, KNOWN_TO_ALL)[0] in {"PasswordResetRequiredException", "NotAuthorizedException"}
    bob = visitor("AUDIT")
    weak(call, bob)
    assert bob.signs_in(HOME, KNOWN_TO_ALL)
    assert bob.last()[1]["CompromisedCredentialsDetected"] is True


def test_breached_passwords_where_users_choose_them(call, pool, app, user, inbox):
    """Signing up, changing, recovering and replacing a temporary one are refused; the filter says where."""
    pool_id = pool(**protected(), AutoVerifiedAttributes=["email"])
    client, address = app(pool_id), "cat-risk@example.org"
    ids = {"ClientId": client["ClientId"], "Username": "cat"}
    new = ids | {"UserAttributes": [{"Name": "email", "Value": address}]}
    assert refusal(call, "SignUp", **new, Password=KNOWN_TO_ALL) == BARRED
    call("SignUp", **new, Password=PASSWORD)
    confirm(call, client, "cat", inbox(address)[-1].code)
    token = sign_in(call, client, "cat")["AccessToken"]
    change = {"AccessToken": token, "PreviousPassword": PASSWORD, "ProposedPassword": KNOWN_TO_ALL}
    assert refusal(call, "ChangePassword", **change) == BARRED
    events = call("AdminListUserAuthEvents", UserPoolId=pool_id, Username="cat")["AuthEvents"]
    assert (events[0]["EventType"], events[0]["EventResponse"]) == ("PasswordChange", "Fail")
    assert events[0]["EventRisk"] == {"RiskDecision": "Block", "CompromisedCredentialsDetected": True}
    call("ForgotPassword", **ids)
    recovery = ids | {"ConfirmationCode": inbox(address)[-1].code}
    assert refusal(call, "ConfirmForgotPassword", **recovery, Password=KNOWN_TO_ALL) == BARRED
    call("ConfirmForgotPassword", **recovery, Password=OTHER_PASSWORD)
    [recovered] = [
        event
        for event in call("AdminListUserAuthEvents", UserPoolId=pool_id, Username="cat")["AuthEvents"]
        if event["EventType"] == "ForgotPassword"
    ]
    assert (recovered["EventResponse"], recovered["EventRisk"]["CompromisedCredentialsDetected"]) == ("Pass", False)
    temporary = {"UserPoolId": pool_id, "Username": "cat", "Password": KNOWN_TO_ALL, "Permanent": False}
    call("AdminSetUserPassword", **temporary)
    parameters = {"USERNAME": "cat", "PASSWORD": KNOWN_TO_ALL}
    begun = call("InitiateAuth", ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    answer = {"ClientId": client["ClientId"], "ChallengeName": begun["ChallengeName"], "Session": begun["Session"]}
    responses = {"USERNAME": "cat", "NEW_PASSWORD": KNOWN_TO_ALL}
    assert refusal(call, "RespondToAuthChallenge", **answer, ChallengeResponses=responses) == BARRED
    only = {"EventFilter": ["SIGN_IN"], "Actions": {"EventAction": "BLOCK"}}
    call("SetRiskConfiguration", UserPoolId=pool_id, CompromisedCredentialsRiskConfiguration=only)
    assert call("RespondToAuthChallenge", **answer, ChallengeResponses=responses)["AuthenticationResult"]


@pytest.mark.usefixtures("still_clock")
def test_an_address_that_guesses(call, pool, app, user, server):
    """Wrong passwords for many accounts from one address lock that address, for every account and right ones too."""
    pool_id = pool(**protected("AUDIT"))
    client = app(pool_id, PreventUserExistenceErrors="ENABLED")
    ann = Visitor(call, pool_id, client, user(pool_id))
    object.__setattr__(server.deps, "failures_per_address", 4)
    try:
        for number in range(4):
            assert ann.may_not(("1.1.1.1", CHROME), "wrong", f"name-{number}")[1] == "Incorrect username or password."
        assert ann.may_not(("1.1.1.1", CHROME)) == LOCKED
        assert ann.may_not(("1.1.1.1", CHROME), name="nobody") == LOCKED
        assert ann.signs_in(("1.1.1.2", CHROME))
        # An application's server is not its users, nor is a private address one user.
        assert sign_in_refusal(call, client, ann.name, "wrong")[1] == "Incorrect username or password."
        for _ in range(3):
            ann.may_not(("10.0.0.1", CHROME), "wrong", "another")
        asked = PublicCall(deps=server.deps, now=server.clock.now(), origin=Origin(request_id="r"))
        later = msgspec.structs.replace(asked, now=asked.now + 3_600_001)
        counted = [server.read(lambda tx, at=at: limits.failures_from(tx, at, "1.1.1.1")) for at in (asked, later)]
        assert counted == [4, 0]
    finally:
        object.__setattr__(server.deps, "failures_per_address", 300)


def test_the_address_of_a_secret_client_is_its_servers(call, pool, app, user, server):
    """Without a word of its user's address, failures through a client with a secret count for no address."""
    for by_server, counted in ((True, 0), (False, 1)):
        asked = PublicCall(
            deps=server.deps,
            now=server.clock.now(),
            origin=Origin(request_id="r", address="1.0.0.1", by_server=by_server),
        )
        server.run(limits.record_failure_from(asked))
        assert server.read(lambda tx, asked=asked: limits.failures_from(tx, asked, "1.0.0.1")) == counted
    pool_id = pool()
    client, name = app(pool_id, GenerateSecret=True), user(pool_id)
    parameters = {"USERNAME": name, "PASSWORD": "wrong", "SECRET_HASH": secret_hash(client, name)}
    attempt = {"ClientId": client["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
    assert refusal(call, "InitiateAuth", **attempt)[0] == "NotAuthorizedException"


def test_pools_without_threat_protection_pay_nothing(call, pool, app, user, server, monkeypatch):
    """Neither events nor lists nor places are looked at."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id, password=KNOWN_TO_ALL)

    def forbidden(*_):
        raise AssertionError("looked at")

    for thing, method in (("breached", "knows"), ("places", "find")):
        monkeypatch.setattr(type(getattr(server.deps, thing)), method, forbidden)
    monkeypatch.setattr("poolhouse.storage.auth_events.AuthEvents.known", forbidden)
    assert sign_in(call, client, name, KNOWN_TO_ALL)
