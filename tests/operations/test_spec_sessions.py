"""Challenges between the steps of a sign-in (spec/api/04 §1, §4, §6)."""

import base64

import pytest
from pycognito.aws_srp import AWSSRP

from tests.operations.talk import OTHER_PASSWORD, PASSWORD, WRONG_PASSWORD, refusal, secret_hash

INVALID = ("NotAuthorizedException", "Invalid session for the user.")
SRP_PARAMETERS = {"SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"}


@pytest.fixture
def invited(call, pool, app):
    """A pool and a client of it, and users there who have temporary passwords."""
    pool_id = pool(UsernameConfiguration={"CaseSensitive": False}, AliasAttributes=["email"])
    for name in ("ann", "bob"):
        members = {"UserPoolId": pool_id, "Username": name, "MessageAction": "SUPPRESS"}
        verified = [{"Name": "email", "Value": f"{name}@x.org"}, {"Name": "email_verified", "Value": "true"}]
        call("AdminCreateUser", **members, UserAttributes=verified, TemporaryPassword=PASSWORD)
    return pool_id, app(pool_id)


class Door:
    """The operations of apps, or those of administrators."""

    def __init__(self, call, pool_id, client, *, admin):
        self.call, self.admin, self.client = call, "Admin" if admin else "", client
        self.ids = {"ClientId": client["ClientId"]} | ({"UserPoolId": pool_id} if admin else {})

    def start(self, username):
        flow = "ADMIN_USER_PASSWORD_AUTH" if self.admin else "USER_PASSWORD_AUTH"
        parameters = {"USERNAME": username, "PASSWORD": PASSWORD}
        return self.call(f"{self.admin}InitiateAuth", **self.ids, AuthFlow=flow, AuthParameters=parameters)

    def members(self, session, username, challenge="NEW_PASSWORD_REQUIRED"):
        responses = {"USERNAME": username, "NEW_PASSWORD": OTHER_PASSWORD}
        return {**self.ids, "ChallengeName": challenge, "Session": session, "ChallengeResponses": responses}

    def answer(self, session, username):
        return self.call(f"{self.admin}RespondToAuthChallenge", **self.members(session, username))

    def refused(self, session, username, **members):
        operation = f"{self.admin}RespondToAuthChallenge"
        return refusal(self.call, operation, **self.members(session, username) | members)


@pytest.mark.parametrize("admin", [True, False])
def test_sessions_cross_the_families(call, invited, admin):
    """spec/api/04 §1: a challenge of one family is answered in the other as well, by any name of the user."""
    asking, answering = (Door(call, *invited, admin=it) for it in (admin, not admin))
    asked = asking.start("ANN@x.org")
    assert asked.keys() == {"ChallengeName", "Session", "ChallengeParameters"}
    assert asked["Session"].startswith("AYABe")
    assert 20 <= len(asked["Session"]) <= 4096
    assert asked["ChallengeParameters"]["USER_ID_FOR_SRP"] == "ann"
    answered = answering.answer(asked["Session"], "ann@X.org")
    assert answered.keys() == {"AuthenticationResult", "ChallengeParameters"}
    assert answered["ChallengeParameters"] == {}
    result = answered["AuthenticationResult"]
    assert result.keys() == {"AccessToken", "ExpiresIn", "IdToken", "RefreshToken", "TokenType"}
    assert (result["TokenType"], result["ExpiresIn"]) == ("Bearer", 3600)


def test_sessions_are_bound(call, invited, app, pool):
    """spec/api/04 §6: to their user, client and challenge; anything else is no session, and spends none."""
    pool_id, client = invited
    door = Door(call, pool_id, client, admin=False)
    session = door.start("ann")["Session"]
    assert door.refused(session, "bob") == INVALID
    assert door.refused(session, "nobody") == INVALID
    assert door.refused(session, "ann", ClientId=app(pool_id)["ClientId"]) == INVALID
    assert door.refused(session, "ann", ClientId=app(pool())["ClientId"]) == INVALID
    assert door.refused(session, "ann", ChallengeName="SMS_MFA") == INVALID
    assert door.refused(session[:-1], "ann") == INVALID
    assert door.refused("AYABe" + "a" * 100, "ann") == INVALID
    members = door.members(session, "ann")
    del members["Session"]
    missing = ("InvalidParameterException", "Missing required parameter Session")
    assert refusal(call, "RespondToAuthChallenge", **members) == missing
    assert door.answer(session, "ann")["AuthenticationResult"]
    code, text = door.refused(session, "ann")
    assert code == "NotAuthorizedException"
    assert text in {INVALID[1], "Invalid session for the user, session can only be used once."}


@pytest.mark.parametrize("ending", ["AdminDisableUser", "AdminUserGlobalSignOut", "AdminDeleteUser"])
def test_sessions_end_with_their_user(call, invited, ending):
    """spec/api/04 §6, 03 §10: who is disabled, signed out or deleted meanwhile cannot go on."""
    pool_id, client = invited
    door = Door(call, pool_id, client, admin=False)
    session = door.start("ann")["Session"]
    call(ending, UserPoolId=pool_id, Username="ann")
    assert door.refused(session, "ann")[0] == "NotAuthorizedException"


def test_srp_needs_no_session(call, cognito, pool, app, user):
    """spec/api/04 §1, §4: PASSWORD_VERIFIER has five parameters and no Session; its faults have their texts."""
    pool_id = pool(UsernameAttributes=["email"])
    client = app(pool_id)
    sub = user(pool_id, "srp@x.org")
    names = {"username": "srp@x.org", "pool_id": pool_id, "client_id": client["ClientId"], "client": cognito}
    srp = AWSSRP(password=PASSWORD, **names)
    started = {"ClientId": client["ClientId"], "AuthFlow": "USER_SRP_AUTH"}
    asked = call("InitiateAuth", **started, AuthParameters=srp.get_auth_params())
    assert asked.keys() == {"ChallengeName", "ChallengeParameters"}
    parameters = asked["ChallengeParameters"]
    assert parameters.keys() == SRP_PARAMETERS
    assert parameters["USERNAME"] == parameters["USER_ID_FOR_SRP"] == sub
    base64.b64decode(parameters["SECRET_BLOCK"], validate=True)
    good = srp.process_challenge(parameters, srp.get_auth_params())

    def told(**changes):
        responses = {name: value for name, value in (good | changes).items() if value is not None}
        members = {"ClientId": client["ClientId"], "ChallengeName": "PASSWORD_VERIFIER"}
        return refusal(call, "RespondToAuthChallenge", **members, ChallengeResponses=responses)

    for name in ("PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP", "USERNAME"):
        assert told(**{name: None}) == ("InvalidParameterException", f"Missing required parameter {name}")
    form = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
    assert told(TIMESTAMP="2026-02-03T04:05:06Z") == ("InvalidParameterException", form)
    assert told(TIMESTAMP="Tue Feb 3 04:05:06 UTC 2026") == WRONG_PASSWORD
    assert told(PASSWORD_CLAIM_SECRET_BLOCK=parameters["SECRET_BLOCK"][:-4] + "AAAA") == INVALID
    members = {"ClientId": client["ClientId"], "ChallengeName": "PASSWORD_VERIFIER"}
    assert call("RespondToAuthChallenge", **members, ChallengeResponses=good)["AuthenticationResult"]
    assert refusal(call, "RespondToAuthChallenge", **members, ChallengeResponses=good)[0] == "NotAuthorizedException"


def test_a_secret_hash_goes_with_every_step(call, invited, app):
    """spec/api/03 §3, 04 §4: the hash is over the name that each request sends."""
    pool_id, _ = invited
    client = app(pool_id, GenerateSecret=True)
    hashed = {"USERNAME": "Ann@x.org", "SECRET_HASH": secret_hash(client, "Ann@x.org")}
    ids = {"ClientId": client["ClientId"]}
    started = {**ids, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {**hashed, "PASSWORD": PASSWORD}}
    session = call("InitiateAuth", **started)["Session"]
    responses = {"USERNAME": "ann", "NEW_PASSWORD": OTHER_PASSWORD}
    members = {**ids, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session}
    missing = f"Client {client['ClientId']} is configured with secret but SECRET_HASH was not received"
    wrong = f"Unable to verify secret hash for client {client['ClientId']}"
    assert refusal(call, "RespondToAuthChallenge", **members, ChallengeResponses=responses)[1] == missing
    other_name = responses | {"SECRET_HASH": hashed["SECRET_HASH"]}
    assert refusal(call, "RespondToAuthChallenge", **members, ChallengeResponses=other_name)[1] == wrong
    responses["SECRET_HASH"] = secret_hash(client, "ann")
    assert call("RespondToAuthChallenge", **members, ChallengeResponses=responses)["AuthenticationResult"]
