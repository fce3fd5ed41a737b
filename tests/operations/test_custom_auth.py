"""Custom authentication over the wire: functions behind the Lambda API lead the sign-in (spec/api/06 §6)."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from pycognito.aws_srp import AWSSRP

from tests.conftest import PASSWORD
from tests.operations.chooser import first_factors
from tests.operations.owner import PREFERRED, SENDER, TOTP, Owner
from tests.operations.talk import DISABLED, NO_USER, OTHER_PASSWORD, WRONG_PASSWORD, refusal
from tests.operations.test_groups import claims
from tests.operations.test_risk_sign_in import AWAY, BLOCKED, HOME, actions

FLOWS = ["ALLOW_CUSTOM_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
NOT_CONFIGURED = ("InvalidParameterException", "Custom auth lambda trigger is not configured for the user pool.")
UNRECOGNIZABLE = ("InvalidLambdaResponseException", "Unrecognizable lambda output")
SPENT = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
INITIATE, RESPOND = "InitiateAuth", "RespondToAuthChallenge"
TRIGGERS = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")


def says(**response):
    """A function that answers this."""

    def handler(event, context):
        event["response"].update(response)
        return event

    return handler


def three_tries(event, context):
    """Ask until the answer is right, three times at most."""
    results, response = event["request"]["session"], event["response"]
    right = bool(results) and results[-1]["challengeResult"] and results[-1]["challengeName"] == "CUSTOM_CHALLENGE"
    response["issueTokens"] = right
    response["failAuthentication"] = not right and len(results) >= 3
    response["challengeName"] = None if right else "CUSTOM_CHALLENGE"
    return event


def ask_for_color(event, context):
    """Ask for a colour; the count of tries is the challenge's metadata."""
    number = len(event["request"]["session"]) + 1
    event["response"]["publicChallengeParameters"] = {"question": "Which colour?", "try": str(number)}
    event["response"]["privateChallengeParameters"] = {"answer": "blue"}
    event["response"]["challengeMetadata"] = f"COLOUR-{number}"
    return event


def compare(event, context):
    """Judge an answer."""
    request = event["request"]
    event["response"]["answerCorrect"] = request["challengeAnswer"] == request["privateChallengeParameters"]["answer"]
    return event


def password_then_color(event, context):
    """Lead as the guide's example does: the password, what the service asks besides, then a challenge."""
    told = [result["challengeName"] for result in event["request"]["session"]]
    right, response = event["request"]["session"][-1]["challengeResult"], event["response"]
    if told == ["SRP_A"]:
        response["challengeName"] = "PASSWORD_VERIFIER"
    elif right and told[-1] == "CUSTOM_CHALLENGE":
        response["issueTokens"] = True
    elif right:
        response["challengeName"] = "CUSTOM_CHALLENGE"
    else:
        response["failAuthentication"] = True
    return event


class Club:
    """A pool whose functions lead sign-ins, and a client of it."""

    def __init__(self, call, functions, pool, app, define, create, verify, conceals, **settings):
        self.call, self.functions = call, functions
        self.define, self.create, self.verify = (functions.add(handler) for handler in (define, create, verify))
        lambdas = dict(zip(TRIGGERS, (self.define, self.create, self.verify), strict=True))
        self.pool_id = pool(**{"LambdaConfig": lambdas} | settings)
        existence = "ENABLED" if conceals else "LEGACY"
        self.client = app(self.pool_id, ExplicitAuthFlows=FLOWS, PreventUserExistenceErrors=existence)
        self.client_id = self.client["ClientId"]

    def starting(self, name, metadata=None, **parameters):
        members = {"ClientId": self.client_id, "AuthFlow": "CUSTOM_AUTH"}
        return members | {
            "AuthParameters": {"USERNAME": name} | parameters,
            **({"ClientMetadata": metadata} if metadata else {}),
        }

    def answering(self, name, asked, metadata=None, **responses):
        members = {"ClientId": self.client_id, "ChallengeName": asked["ChallengeName"]}
        members |= {"Session": asked["Session"]} if "Session" in asked else {}
        return members | {
            "ChallengeResponses": {"USERNAME": name} | responses,
            **({"ClientMetadata": metadata} if metadata else {}),
        }

    def start(self, name, **parameters):
        return self.call(INITIATE, **self.starting(name, **parameters))

    def answer(self, name, asked, **responses):
        return self.call(RESPOND, **self.answering(name, asked, **responses))

    def refused(self, name, asked, **responses):
        return refusal(self.call, RESPOND, **self.answering(name, asked, **responses))

    def requests(self, arn):
        return [event["request"] for event in self.functions.events(arn)]

    def srp(self, name, password=PASSWORD):
        """The client's side of SRP."""
        return AWSSRP(username=name, password=password, pool_id=self.pool_id, client_id=self.client_id, client=object())

    def start_with_srp(self, srp, naming="CHALLENGE_NAME"):
        given = srp.get_auth_params()
        return self.start(given["USERNAME"], **{naming: "SRP_A", "SRP_A": given["SRP_A"]})

    def prove(self, srp, asked, **responses):
        given = srp.process_challenge(asked["ChallengeParameters"], srp.get_auth_params())
        return self.answering(given.pop("USERNAME"), asked, **given, **responses)


@pytest.fixture
def club(call, functions, pool, app):
    """Make a pool whose functions lead sign-ins."""

    def make(define=three_tries, create=ask_for_color, verify=compare, *, conceals=False, **settings):
        return Club(call, functions, pool, app, define, create, verify, conceals, **settings)

    return make


def test_a_custom_challenge(club, user):
    """Functions ask, judge and decide; each hears exactly what the documentation says, a wrong answer ends nothing."""
    here = club()
    name = user(here.pool_id, email="a@x.org")
    asked = here.call(INITIATE, **here.starting(name, {"from": "start"}))
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert asked["ChallengeParameters"] == {"question": "Which colour?", "try": "1", "USERNAME": name}
    assert asked["Session"].startswith("AYABe")
    again = here.call(RESPOND, **here.answering(name, asked, {"from": "answer"}, ANSWER="red"))
    assert again["ChallengeParameters"]["try"] == "2"
    assert again["Session"] != asked["Session"]
    done = here.answer(name, again, ANSWER="blue")
    assert done["ChallengeParameters"] == {}
    assert claims(done["AuthenticationResult"]["AccessToken"])["username"] == name

    shown = here.requests(here.define)[0]["userAttributes"]
    assert shown == {"sub": shown["sub"], "cognito:user_status": "CONFIRMED", "email": "a@x.org"}
    told = [
        {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": False, "challengeMetadata": "COLOUR-1"},
        {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": "COLOUR-2"},
    ]
    metadata = {"clientMetadata": {"from": "answer"}}
    first = {"userAttributes": shown, "session": []}
    second = {"userAttributes": shown, "session": told[:1]} | metadata
    assert here.requests(here.define) == [first, second, {"userAttributes": shown, "session": told}]
    assert here.requests(here.create) == [each | {"challengeName": "CUSTOM_CHALLENGE"} for each in (first, second)]
    judged = {"userAttributes": shown, "privateChallengeParameters": {"answer": "blue"}}
    assert here.requests(here.verify) == [
        judged | {"challengeAnswer": "red"} | metadata,
        judged | {"challengeAnswer": "blue"},
    ]
    (defining, *_), (creating, *_), (judging, *_) = (
        here.functions.events(arn) for arn in (here.define, here.create, here.verify)
    )
    assert [event["triggerSource"] for event in (defining, creating, judging)] == [
        f"{trigger}_Authentication" for trigger in TRIGGERS
    ]
    assert {event["userName"] for event in (defining, creating, judging)} == {name}
    assert defining["callerContext"]["clientId"] == here.client_id
    assert defining["response"] == {"challengeName": None, "issueTokens": None, "failAuthentication": None}


def test_a_magic_link(club, user, functions):
    """Users without a password sign in by a link that the function sends, and which works once."""
    sent = {}

    def send(event, context):
        secret = sent[event["request"]["userAttributes"]["email"]] = secrets.token_urlsafe(24)
        event["response"]["publicChallengeParameters"] = {"sent": "yes"}
        event["response"]["privateChallengeParameters"] = {"answer": secret}
        return event

    here = club(create=send, UsernameAttributes=["email"])
    name = user(here.pool_id, "ann@magic.example", password=None, email="ann@magic.example", email_verified="true")
    asked = here.start("ann@magic.example")
    assert asked["ChallengeParameters"] == {"sent": "yes", "USERNAME": name}
    link = here.answering("ann@magic.example", asked, ANSWER=sent["ann@magic.example"])
    made = here.call(RESPOND, **link)["AuthenticationResult"]
    assert claims(made["IdToken"])["email"] == "ann@magic.example"
    assert refusal(here.call, RESPOND, **link) == SPENT
    shown = functions.events(here.define)[-1]
    assert (shown["userName"], shown["request"]["userAttributes"]["cognito:user_status"]) == (
        name,
        "FORCE_CHANGE_PASSWORD",
    )


def test_answers_are_counted_by_the_functions(club, user):
    """The third wrong answer ends it; no session takes a second answer, however many come at once or are refused."""
    here = club()
    name = user(here.pool_id)
    asked = here.start(name)
    assert here.refused(name, asked) == ("InvalidParameterException", "Missing required parameter ANSWER")
    assert refusal(here.call, RESPOND, **here.answering(name, asked, ANSWER="red") | {"Session": "x" * 20})[1] == (
        "Invalid session for the user."
    )

    def guess(answer):
        try:
            return here.answer(name, asked, ANSWER=answer)
        except ClientError as error:
            return (error.response["Error"]["Code"], error.response["Error"]["Message"])

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(guess, ["red", "green", "pink", "grey"]))
    (asked,) = (answer for answer in answers if isinstance(answer, dict))
    assert answers.count(SPENT) == 3
    assert len(here.requests(here.verify)) == 1
    asked = here.answer(name, asked, ANSWER="red")
    assert here.refused(name, asked, ANSWER="red") == WRONG_PASSWORD
    assert here.refused(name, asked, ANSWER="blue") == SPENT


def test_administrators_lead_it_too(club, user):
    """AdminInitiateAuth begins it, either family answers it, and the client's id is told."""
    here = club()
    name = user(here.pool_id)
    pool_id = {"UserPoolId": here.pool_id}
    asked = here.call("AdminInitiateAuth", **pool_id, **here.starting(name))
    asked = here.call("AdminRespondToAuthChallenge", **pool_id, **here.answering(name, asked, ANSWER="red"))
    assert asked["ChallengeParameters"]["USERNAME"] == name
    assert here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]
    callers = {event["callerContext"]["clientId"] for event in here.functions.events(here.define)}
    assert callers == {here.client_id}


def test_who_may_not_sign_in(club, user):
    """States are looked at before the functions are asked, and again with each answer."""
    here = club()
    name = user(here.pool_id)
    owner = {"UserPoolId": here.pool_id, "Username": name}
    asked = here.start(name)
    here.call("AdminDisableUser", **owner)
    assert here.refused(name, asked, ANSWER="blue")[0] == "NotAuthorizedException"
    assert refusal(here.call, INITIATE, **here.starting(name)) == DISABLED
    assert here.requests(here.verify) == []
    here.call("SignUp", ClientId=here.client_id, Username="new", Password=PASSWORD)
    assert refusal(here.call, INITIATE, **here.starting("new")) == (
        "UserNotConfirmedException",
        "User is not confirmed.",
    )
    assert refusal(here.call, INITIATE, **here.starting("nobody")) == NO_USER
    assert len(here.requests(here.define)) == 1


def test_a_reset_under_way_ends_it(club, user):
    """Also of users without a password, of whose sign-ins nothing else is void then."""
    here = club(**first_factors("EMAIL_OTP"))
    name = user(here.pool_id, password=None, email="bare@x.org", email_verified="true")
    asked = here.start(name)
    here.call("AdminResetUserPassword", UserPoolId=here.pool_id, Username=name)
    refused = ("PasswordResetRequiredException", "Password reset required for the user")
    assert here.refused(name, asked, ANSWER="blue") == refused


@pytest.mark.parametrize("there", [False, True])
def test_nobody_is_led_like_somebody(club, user, there):
    """Where users are concealed the functions hear that there is none, or a disabled one, and cannot let anybody in."""
    here = club(conceals=True)
    name = user(here.pool_id) if there else "nobody"
    if there:
        here.call("AdminDisableUser", UserPoolId=here.pool_id, Username=name)
    asked = here.start(name)
    assert asked["ChallengeParameters"] == {"question": "Which colour?", "try": "1", "USERNAME": name}
    asked = here.answer(name, asked, ANSWER="red")
    assert here.refused(name, asked, ANSWER="blue") == WRONG_PASSWORD
    for arn in (here.define, here.create, here.verify):
        for request in here.requests(arn):
            assert request["userNotFound"] is True
            assert request["userAttributes"] == {}
    known = user(here.pool_id)
    here.start(known)
    assert here.requests(here.define)[-1]["userNotFound"] is False


def test_nobodys_user_name_in_pools_of_addresses(club, user):
    """Where the user name is not what users type, nobody has one as well, always the same; and so have disabled users."""
    here = club(conceals=True, UsernameAttributes=["email"])
    sub = user(here.pool_id, "off@x.org")
    here.call("AdminDisableUser", UserPoolId=here.pool_id, Username=sub)
    for given in ("nobody@x.org", "off@x.org"):
        names = {here.start(given)["ChallengeParameters"]["USERNAME"] for _ in range(2)}
        (name,) = names
        assert len(name) == 36
        assert name != sub


def test_a_disabled_user_has_nobodys_name(club, user):
    """Who is disabled is nobody under the name that was given: the user name behind an address is told to no one."""
    here = club(conceals=True, UsernameAttributes=["email"])
    name = user(here.pool_id, "ann-disabled@x.org")
    here.call("AdminDisableUser", UserPoolId=here.pool_id, Username=name)
    asked = here.start("ann-disabled@x.org")
    assert asked["ChallengeParameters"]["USERNAME"] not in {name, "ann-disabled@x.org"}
    assert here.answer("ann-disabled@x.org", asked, ANSWER="red")["ChallengeName"] == "CUSTOM_CHALLENGE"


@pytest.mark.parametrize("naming", ["CHALLENGE_NAME", "ChallengeName"])
def test_the_password_first(club, user, naming):
    """By SRP the password is proved, then the functions' challenge follows; they hear of both."""
    here = club(define=password_then_color)
    name = user(here.pool_id)
    srp = here.srp(name)
    asked = here.start_with_srp(srp, naming)
    assert asked["ChallengeName"] == "PASSWORD_VERIFIER"
    assert asked["Session"]
    assert asked["ChallengeParameters"].keys() == {"SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"}
    proof = here.prove(srp, asked)
    asked = here.call(RESPOND, **proof)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]
    told = [result["challengeName"] for result in here.requests(here.define)[-1]["session"]]
    assert told == ["SRP_A", "PASSWORD_VERIFIER", "CUSTOM_CHALLENGE"]
    assert here.requests(here.define)[0]["session"] == [
        {"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}
    ]
    assert refusal(here.call, RESPOND, **proof) == SPENT


@pytest.mark.usefixtures("still_clock")
def test_a_wrong_password_comes_first(club, user):
    """The functions hear of no wrong password: it is refused, counted, and never leads to their challenge."""
    here = club(define=password_then_color)
    name = user(here.pool_id)
    srp = here.srp(name, OTHER_PASSWORD)
    asked = here.start_with_srp(srp)
    for _ in range(5):
        assert refusal(here.call, RESPOND, **here.prove(srp, asked)) == WRONG_PASSWORD
    locked = refusal(here.call, RESPOND, **here.prove(srp, asked))
    assert locked == ("NotAuthorizedException", "Password attempts exceeded")
    assert len(here.requests(here.define)) == 1
    bad = here.starting(name, CHALLENGE_NAME="SRP_A")
    assert refusal(here.call, INITIATE, **bad) == ("InvalidParameterException", "Missing required parameter SRP_A")


def test_a_temporary_password_is_replaced_on_the_way(club, user):
    """After a temporary password its successor is asked for, before the functions are heard again."""
    here = club(define=password_then_color)
    name = user(here.pool_id, password=None)
    here.call("AdminSetUserPassword", UserPoolId=here.pool_id, Username=name, Password=PASSWORD)
    srp = here.srp(name)
    asked = here.call(RESPOND, **here.prove(srp, here.start_with_srp(srp)))
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    asked = here.answer(name, asked, NEW_PASSWORD=OTHER_PASSWORD)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]


def test_second_factors_follow_the_password_only(server, club, user, call):
    """With the password first, the user's second factor comes next and is told; without it, none is asked for."""

    def lead(event, context):
        begun = bool(event["request"]["session"])
        return password_then_color(event, context) if begun else says(challengeName="CUSTOM_CHALLENGE")(event, context)

    here = club(define=lead)
    name = user(here.pool_id)
    call("SetUserPoolMfaConfig", UserPoolId=here.pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    server.clock.advance(31 - server.clock.now() // 1000 % 30)
    ann = Owner(server, call, here.client, here.pool_id, name)
    ann.has_an_app()
    ann.does("SetUserMFAPreference", SoftwareTokenMfaSettings=PREFERRED)
    server.clock.advance(60)
    srp = here.srp(name)
    asked = here.call(RESPOND, **here.prove(srp, here.start_with_srp(srp)))
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert len(here.requests(here.define)) == 1
    asked = here.answer(name, asked, SOFTWARE_TOKEN_MFA_CODE=ann.code())
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]
    told = [result["challengeName"] for result in here.requests(here.define)[-1]["session"]]
    assert told == ["SRP_A", "PASSWORD_VERIFIER", "SOFTWARE_TOKEN_MFA", "CUSTOM_CHALLENGE"]
    assert here.requests(here.define)[-1]["userAttributes"]["cognito:mfa_enabled"] == "true"

    asked = here.start(name)
    assert here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]


def test_a_code_follows_the_password_as_a_second_factor(server, club, user, call, inbox):
    """Where the user's second factor is a code by mail it shows no more than that: the functions have the last word."""
    here = club(define=password_then_color, EmailConfiguration=SENDER)
    name = user(here.pool_id, email="led@example.org", email_verified="true")
    call("SetUserPoolMfaConfig", UserPoolId=here.pool_id, MfaConfiguration="OPTIONAL", EmailMfaConfiguration={})
    ids = {"UserPoolId": here.pool_id, "Username": name}
    call("AdminSetUserMFAPreference", **ids, EmailMfaSettings=PREFERRED)
    srp = here.srp(name)
    asked = here.call(RESPOND, **here.prove(srp, here.start_with_srp(srp)))
    assert asked["ChallengeName"] == "EMAIL_OTP"
    code = inbox("led@example.org")[-1].code
    assert len(code) == 6
    asked = here.answer(name, asked, EMAIL_OTP_CODE=code)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]


def test_devices_come_with_the_password_only(club, user):
    """A device is offered after a sign-in with the password in it; sign-ins without one know of none."""
    tracking = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
    here = club(define=password_then_color, DeviceConfiguration=tracking)
    name = user(here.pool_id)
    srp = here.srp(name)
    asked = here.call(RESPOND, **here.prove(srp, here.start_with_srp(srp)))
    assert "NewDeviceMetadata" in here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]
    here.functions.change(here.define, three_tries)
    asked = here.start(name, DEVICE_KEY="us-east-1_00000000-0000-4000-8000-000000000000")
    assert "NewDeviceMetadata" not in here.answer(name, asked, ANSWER="blue")["AuthenticationResult"]


def test_functions_that_are_missing(club, user, call):
    """A pool lacks custom authentication where any of the three functions is missing."""
    here = club()
    name = user(here.pool_id)
    asked = here.start(name)
    lambdas = dict(zip(TRIGGERS, (here.define, here.create, here.verify), strict=True))
    for missing in TRIGGERS[:2]:
        others = {trigger: arn for trigger, arn in lambdas.items() if trigger != missing}
        call("UpdateUserPool", UserPoolId=here.pool_id, LambdaConfig=others)
        assert refusal(call, INITIATE, **here.starting(name)) == NOT_CONFIGURED
    call("UpdateUserPool", UserPoolId=here.pool_id, LambdaConfig={"DefineAuthChallenge": here.define})
    assert here.refused(name, asked, ANSWER="blue") == NOT_CONFIGURED


@pytest.mark.parametrize(
    ("which", "handler", "refused"),
    [
        ("define", says(), UNRECOGNIZABLE),
        ("define", says(challengeName="SMS_MFA"), UNRECOGNIZABLE),
        ("define", says(failAuthentication=True), WRONG_PASSWORD),
        (
            "define",
            says(challengeName="PASSWORD_VERIFIER"),
            ("InvalidParameterException", "Missing required parameter SRP_A"),
        ),
        ("create", says(publicChallengeParameters={"n": 1}), UNRECOGNIZABLE),
        (
            "create",
            says(privateChallengeParameters={"answer": "x" * 4000}),
            (
                "InvalidLambdaResponseException",
                "The challenges so far, with their private parameters and metadata, do not fit into a Session.",
            ),
        ),
    ],
)
def test_words_that_lead_nowhere(club, user, which, handler, refused):
    """What a function says wrong is an error, and no tokens."""
    here = club(**{which: handler})
    assert refusal(here.call, INITIATE, **here.starting(user(here.pool_id))) == refused


def test_functions_that_throw(club, user):
    """Their text is the caller's; the session they threw at is spent."""

    def throw(event, context):
        raise ValueError("no colour today")

    here = club(verify=throw)
    name = user(here.pool_id)
    asked = here.start(name)
    assert here.refused(name, asked, ANSWER="blue") == (
        "UserLambdaValidationException",
        "VerifyAuthChallengeResponse failed with error no colour today.",
    )
    assert here.refused(name, asked, ANSWER="blue") == SPENT


def test_tokens_without_any_challenge(club, user):
    """A function that is content at once gets the user in at once, and nobody else."""
    here = club(define=says(issueTokens=True), conceals=True)
    assert here.start(user(here.pool_id))["AuthenticationResult"]
    assert refusal(here.call, INITIATE, **here.starting("nobody")) == WRONG_PASSWORD


class Place:
    """Where a user of a club is, as an application's server tells it."""

    def __init__(self, here, name, address, agent):
        self.here, self.name = here, name
        headers = [{"headerName": "User-Agent", "headerValue": agent}]
        told = {"IpAddress": address, "ServerName": "s", "ServerPath": "/", "HttpHeaders": headers}
        self.ids = {"UserPoolId": here.pool_id, "ContextData": told}

    def guesses(self):
        asked = self.here.call("AdminInitiateAuth", **self.ids, **self.here.starting(self.name))
        return self.ids | self.here.answering(self.name, asked, ANSWER="blue")

    def enters(self):
        return self.here.call("AdminRespondToAuthChallenge", **self.guesses())


def test_risk_has_a_word_after_the_functions(club, user, inbox):
    """Once the functions let a user in, a risky sign-in is blocked or asks for a factor, where the pool wants that."""
    add_ons = {"AdvancedSecurityMode": "ENFORCED", "AdvancedSecurityAdditionalFlows": {"CustomAuthMode": "ENFORCED"}}
    once = says(challengeName="CUSTOM_CHALLENGE")

    def lead(event, context):
        event = once(event, context)
        if event["request"]["session"]:
            event["response"] = {"issueTokens": True, "failAuthentication": False}
        return event

    here = club(define=lead, UserPoolTier="PLUS", UserPoolAddOns=add_ons, EmailConfiguration=SENDER)
    name = user(here.pool_id, email="risky@example.org", email_verified="true")
    home, away = (Place(here, name, *place) for place in (HOME, AWAY))
    assert home.enters()["AuthenticationResult"]
    assert refusal(here.call, "AdminRespondToAuthChallenge", **away.guesses()) == BLOCKED

    here.call("SetUserPoolMfaConfig", UserPoolId=here.pool_id, MfaConfiguration="OPTIONAL", EmailMfaConfiguration={})
    here.call("SetRiskConfiguration", UserPoolId=here.pool_id, **actions("MFA_REQUIRED"))
    assert home.enters()["AuthenticationResult"]
    asked = away.enters()
    assert asked["ChallengeName"] == "EMAIL_OTP"
    code = inbox("risky@example.org")[-1].code
    assert len(code) == 6
    answer = here.answering(name, asked, EMAIL_OTP_CODE=code)
    assert here.call("AdminRespondToAuthChallenge", **away.ids, **answer)["AuthenticationResult"]

    add_ons["AdvancedSecurityAdditionalFlows"] = {"CustomAuthMode": "AUDIT"}
    kept = here.call("DescribeUserPool", UserPoolId=here.pool_id)["UserPool"]
    settings = {"LambdaConfig": kept["LambdaConfig"], "EmailConfiguration": SENDER, "UserPoolTier": "PLUS"}
    here.call(
        "UpdateUserPool", UserPoolId=here.pool_id, MfaConfiguration="OPTIONAL", UserPoolAddOns=add_ons, **settings
    )
    here.call("SetRiskConfiguration", UserPoolId=here.pool_id, **actions("BLOCK"))
    assert Place(here, name, "11.1.1.1", "curl/8.0").enters()["AuthenticationResult"]
