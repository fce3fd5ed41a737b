"""Signing in with a remembered device, by pycognito's arithmetic (spec/api/04 §8)."""

import pytest
from pycognito.aws_srp import AWSSRP, generate_hash_device

from tests.conftest import PASSWORD
from tests.operations.talk import WRONG_PASSWORD, named, refusal
from tests.operations.test_devices import ALWAYS, NO_DEVICE, ON_PROMPT, UNKNOWN, Home, key_of
from tests.operations.test_groups import claims

TRUSTED = ALWAYS | {"ChallengeRequiredOnNewDevice": True}
NO_SESSION = ("InvalidParameterException", "Missing required parameter Session")
INVALID_SESSION = ("NotAuthorizedException", "Invalid session for the user.")


class Device:
    """A device that was confirmed with a secret, and its side of the talk."""

    def __init__(self, home):
        self.home = home
        made = home.sign_in()
        self.key, self.group = key_of(made), made["NewDeviceMetadata"]["DeviceGroupKey"]
        self.password, verifier = generate_hash_device(self.group, self.key)
        home.confirm(made, DeviceName="mine", DeviceSecretVerifierConfig=verifier)
        self.tokens = made

    def client(self, password=None):
        return AWSSRP(
            username=self.home.name,
            password=PASSWORD,
            pool_id=self.home.pool_id,
            client_id=self.home.client_id,
            client=object(),
            device_key=self.key,
            device_group_key=self.group,
            device_password=password or self.password,
        )

    def answer(self, challenge, responses, asked=None):
        """The parameters of an answer, with the session that came along."""
        session = {"Session": asked["Session"]} if asked and "Session" in asked else {}
        members = {"ClientId": self.home.client_id, "ChallengeName": challenge, "ChallengeResponses": responses}
        return members | session

    def begin(self, password=PASSWORD):
        """Sign in by password; hear what is asked."""
        return self.home.call("InitiateAuth", **self.home.password(self.key, password))

    def name(self, client, asked):
        """Say the device's A; hear B and the salt."""
        assert asked["ChallengeName"] == "DEVICE_SRP_AUTH"
        responses = {"USERNAME": self.home.name, "DEVICE_KEY": self.key, "SRP_A": client.get_auth_params()["SRP_A"]}
        asked = self.home.call("RespondToAuthChallenge", **self.answer("DEVICE_SRP_AUTH", responses, asked))
        assert asked["ChallengeName"] == "DEVICE_PASSWORD_VERIFIER"
        return asked

    def proof(self, client, asked):
        """The parameters that prove the device's secret."""
        return self.answer(
            "DEVICE_PASSWORD_VERIFIER", client.process_device_challenge(asked["ChallengeParameters"]), asked
        )


@pytest.fixture
def home(call, pool, app, user):
    """Make a pool in which devices stand for a second factor."""
    return lambda configuration=TRUSTED, **settings: Home(call, pool, app, user, configuration, **settings)


def require_factor(home):
    """Have the pool require a second factor, which the user has."""
    home.call(
        "AdminUpdateUserAttributes",
        **home.owner,
        UserAttributes=[
            {"Name": "phone_number", "Value": "+15550100"},
            {"Name": "phone_number_verified", "Value": "true"},
        ],
    )
    sms = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "x"}
    home.call(
        "SetUserPoolMfaConfig",
        UserPoolId=home.pool_id,
        MfaConfiguration="ON",
        SmsMfaConfiguration={"SmsConfiguration": sms},
    )


def test_a_remembered_device_signs_in(home, call, functions):
    """After the password it proves its secret in two steps, and is not offered anew; the tokens' function hears so, once."""
    arn = functions.add()
    device = Device(home())
    settings = {"DeviceConfiguration": TRUSTED, "LambdaConfig": {"PreTokenGeneration": arn}}
    call("UpdateUserPool", UserPoolId=device.home.pool_id, **settings)
    client = device.client()
    asked = device.begin()
    assert asked["Session"]
    asked = device.name(client, asked)
    assert asked["ChallengeParameters"].keys() == {"SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "DEVICE_KEY"}
    assert asked["ChallengeParameters"]["DEVICE_KEY"] == device.key
    proof = device.proof(client, asked)
    made = call("RespondToAuthChallenge", **proof)["AuthenticationResult"]
    assert "NewDeviceMetadata" not in made
    assert claims(made["AccessToken"])["device_key"] == device.key
    again = call("InitiateAuth", **device.home.refreshing(made, device.key))["AuthenticationResult"]
    assert claims(again["AccessToken"])["device_key"] == device.key
    sources = [event["triggerSource"].removeprefix("TokenGeneration_") for event in functions.events(arn)]
    assert sources == ["AuthenticateDevice", "RefreshTokens"]
    spent = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
    assert refusal(call, "RespondToAuthChallenge", **proof) == spent
    assert len(functions.events(arn)) == 2


def test_the_device_follows_a_password_proved_by_srp(home, call):
    """As pycognito does it: the key goes along with both answers."""
    device = Device(home())
    client = device.client()
    begun = call("InitiateAuth", **device.home.auth("USER_SRP_AUTH", **client.get_auth_params()))
    responses = client.process_challenge(begun["ChallengeParameters"], client.get_auth_params())
    asked = call("RespondToAuthChallenge", **device.answer("PASSWORD_VERIFIER", responses, begun))
    made = call("RespondToAuthChallenge", **device.proof(client, device.name(client, asked)))
    assert made["AuthenticationResult"]["AccessToken"]


def test_an_unknown_device_is_refused_at_the_password_verifier(home, call):
    """Not before, where nobody has proved anything yet; without its key the same answer is good, and offers another."""
    device = Device(home())
    call("AdminForgetDevice", **device.home.owner, DeviceKey=device.key)
    client = device.client()
    begun = call("InitiateAuth", **device.home.auth("USER_SRP_AUTH", **client.get_auth_params()))
    responses = client.process_challenge(begun["ChallengeParameters"], client.get_auth_params())
    assert refusal(call, "RespondToAuthChallenge", **device.answer("PASSWORD_VERIFIER", responses)) == NO_DEVICE
    del responses["DEVICE_KEY"]
    made = call("RespondToAuthChallenge", **device.answer("PASSWORD_VERIFIER", responses))["AuthenticationResult"]
    assert key_of(made) != device.key


def test_a_device_stands_for_a_second_factor(home, call):
    """A user who needs one signs in from a remembered device without, and from any other not (spec/api/04 §8)."""
    device = Device(home())
    client = device.client()
    require_factor(device.home)
    made = call("RespondToAuthChallenge", **device.proof(client, device.name(client, device.begin())))
    assert made["AuthenticationResult"]["AccessToken"]
    assert is_stopped(device.home)
    call(
        "UpdateDeviceStatus",
        AccessToken=device.tokens["AccessToken"],
        DeviceKey=device.key,
        DeviceRememberedStatus="not_remembered",
    )
    assert is_stopped(device.home, device.key)


def is_stopped(home, key=None):
    """Whether a sign-in by password is not over after the password."""
    asked = home.call("InitiateAuth", **home.password(key))
    return asked["ChallengeName"] not in {"DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"}


@pytest.mark.parametrize("configuration", [ALWAYS, ON_PROMPT | {"ChallengeRequiredOnNewDevice": True}])
def test_devices_that_are_not_asked(home, configuration):
    """Where a device stands for no factor, or is not remembered, it is known and no more (spec/api/04 §8)."""
    device = Device(home(configuration))
    made = device.begin()["AuthenticationResult"]
    assert "NewDeviceMetadata" not in made


def test_a_device_without_a_secret_is_not_asked(home):
    """It has nothing to prove."""
    here = home()
    _, key = here.device()
    made = here.sign_in(key)
    assert "NewDeviceMetadata" not in made
    assert named(here.shown(key)["DeviceAttributes"])["dev:device_remembered_status"] == "remembered"


@pytest.mark.usefixtures("still_clock")
def test_a_wrong_secret(home, call):
    """Is refused as a wrong password is, counts as one, and can be mended while the session lasts."""
    device = Device(home())
    right, wrong = device.client(), device.client("guessed")
    asked = device.name(right, device.begin())
    wrong.small_a_value, wrong.large_a_value = right.small_a_value, right.large_a_value
    assert refusal(call, "RespondToAuthChallenge", **device.proof(wrong, asked)) == WRONG_PASSWORD
    assert call("RespondToAuthChallenge", **device.proof(right, asked))["AuthenticationResult"]
    asked = device.name(right, device.begin())
    for _ in range(5):
        refusal(call, "RespondToAuthChallenge", **device.proof(wrong, asked))
    locked = ("NotAuthorizedException", "Password attempts exceeded")
    assert refusal(call, "RespondToAuthChallenge", **device.proof(right, asked)) == locked


def test_another_devices_secret_does_not_do(home, call):
    """Who knows one device's secret cannot end the sign-in that another began."""
    device = Device(home())
    other = Device(device.home)
    client, strange = device.client(), other.client()
    asked = device.name(client, device.begin())
    strange.small_a_value, strange.large_a_value = client.small_a_value, client.large_a_value
    assert refusal(call, "RespondToAuthChallenge", **other.proof(strange, asked)) == WRONG_PASSWORD


def test_answers_that_are_none(home, call):
    """What is missing is named, and a step cannot be skipped."""
    device = Device(home())
    client = device.client()
    asked = device.begin()
    whole = {"USERNAME": device.home.name, "DEVICE_KEY": device.key, "SRP_A": client.get_auth_params()["SRP_A"]}
    for name in ("SRP_A", "DEVICE_KEY"):
        lacking = device.answer("DEVICE_SRP_AUTH", {key: value for key, value in whole.items() if key != name}, asked)
        missing = ("InvalidParameterException", f"Missing required parameter {name}")
        assert refusal(call, "RespondToAuthChallenge", **lacking) == missing
    zero = device.answer("DEVICE_SRP_AUTH", whole | {"SRP_A": "0"}, asked)
    assert refusal(call, "RespondToAuthChallenge", **zero)[0] == "InvalidParameterException"
    unknown = device.answer("DEVICE_SRP_AUTH", whole | {"DEVICE_KEY": UNKNOWN}, asked)
    assert refusal(call, "RespondToAuthChallenge", **unknown) == NO_DEVICE
    assert refusal(call, "RespondToAuthChallenge", **device.answer("DEVICE_SRP_AUTH", whole)) == NO_SESSION
    proof = device.proof(client, device.name(client, asked))
    for name in ("PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP", "DEVICE_KEY"):
        left = {key: value for key, value in proof["ChallengeResponses"].items() if key != name}
        missing = ("InvalidParameterException", f"Missing required parameter {name}")
        assert refusal(call, "RespondToAuthChallenge", **proof | {"ChallengeResponses": left}) == missing
    as_password = proof | {"ChallengeName": "PASSWORD_VERIFIER"}
    assert refusal(call, "RespondToAuthChallenge", **as_password) == INVALID_SESSION
    assert call("RespondToAuthChallenge", **proof)["AuthenticationResult"]


@pytest.mark.parametrize("ended", ["forgotten", "not remembered"])
def test_a_device_that_is_given_up_under_way(home, call, ended):
    """Does not end the sign-in that it began."""
    device = Device(home())
    client = device.client()
    asked = device.name(client, device.begin())
    if ended == "forgotten":
        call("AdminForgetDevice", **device.home.owner, DeviceKey=device.key)
    else:
        status = {"DeviceRememberedStatus": "not_remembered"}
        call("AdminUpdateDeviceStatus", **device.home.owner, DeviceKey=device.key, **status)
    wanted = NO_DEVICE if ended == "forgotten" else WRONG_PASSWORD
    assert refusal(call, "RespondToAuthChallenge", **device.proof(client, asked)) == wanted
