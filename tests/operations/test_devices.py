"""Devices over the wire: tracked, remembered, forgotten, and bound to their tokens (spec/api/04 §8)."""

import base64
import re

import httpx
import pytest

from poolhouse.core.devices import MAX_DEVICES
from tests.conftest import PASSWORD
from tests.operations.refusals import unchecked
from tests.operations.talk import NO_USER, OTHER_PASSWORD, WRONG_PASSWORD, named, refusal
from tests.operations.test_groups import claims

ALWAYS = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
ON_PROMPT = ALWAYS | {"DeviceOnlyRememberedOnUserPrompt": True}
NO_DEVICE = ("ResourceNotFoundException", "Device does not exist.")
INVALID_KEY = ("InvalidParameterException", "Invalid device key given.")
INVALID_REFRESH = ("NotAuthorizedException", "Invalid Refresh Token")
OFF = ("InvalidUserPoolConfigurationException", "Device tracking is not enabled for the user pool.")
KEY = re.compile(r"us-east-1_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UNKNOWN = "us-east-1_00000000-0000-4000-8000-000000000000"
VERIFIER = {
    "PasswordVerifier": base64.b64encode(b"\0\xff" * 192).decode(),
    "Salt": base64.b64encode(b"\x01ab").decode(),
}


class Home:
    """A pool that tracks devices, an app and a user of it."""

    def __init__(self, call, pool, app, user, configuration=ALWAYS, **settings):
        self.call = call
        self.pool_id = pool(DeviceConfiguration=configuration)
        self.client_id = app(self.pool_id, **settings)["ClientId"]
        self.name = user(self.pool_id)
        self.owner = {"UserPoolId": self.pool_id, "Username": self.name}

    def auth(self, flow="USER_PASSWORD_AUTH", **parameters):
        return {"ClientId": self.client_id, "AuthFlow": flow, "AuthParameters": parameters}

    def password(self, key=None, password=PASSWORD):
        """The parameters of a sign-in by password, from a device where one is named."""
        return self.auth(USERNAME=self.name, PASSWORD=password, **({"DEVICE_KEY": key} if key else {}))

    def sign_in(self, key=None):
        return self.call("InitiateAuth", **self.password(key))["AuthenticationResult"]

    def refreshing(self, made, key=None):
        """The parameters of a refresh."""
        named = {"DEVICE_KEY": key} if key else {}
        return self.auth("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=made["RefreshToken"], **named)

    def confirm(self, made, **members):
        given = {"AccessToken": made["AccessToken"], "DeviceKey": key_of(made), **members}
        return self.call("ConfirmDevice", **given)["UserConfirmationNecessary"]

    def device(self, **members):
        """Sign in from a new device and confirm it; give the tokens and its key."""
        made = self.sign_in()
        self.confirm(made, **members)
        return made, key_of(made)

    def shown(self, key):
        return self.call("AdminGetDevice", **self.owner, DeviceKey=key)["Device"]

    def keys(self):
        return [each["DeviceKey"] for each in self.call("AdminListDevices", **self.owner)["Devices"]]


def key_of(made):
    return made["NewDeviceMetadata"]["DeviceKey"]


@pytest.fixture
def home(call, pool, app, user):
    """Make a pool that tracks devices."""
    return lambda *args, **settings: Home(call, pool, app, user, *args, **settings)


def test_a_sign_in_offers_a_device(home, call):
    """A key of its own each time, the pool's group key, and the key in the access token; nothing is tracked yet."""
    here = home()
    first, second = here.sign_in(), here.sign_in()
    for made in (first, second):
        assert KEY.fullmatch(key_of(made))
        assert claims(made["AccessToken"])["device_key"] == key_of(made)
        assert list(claims(made["AccessToken"]))[:2] == ["sub", "device_key"]
        assert "device_key" not in claims(made["IdToken"])
    assert key_of(first) != key_of(second)
    groups = {made["NewDeviceMetadata"]["DeviceGroupKey"] for made in (first, second)}
    assert len(groups) == 1
    assert re.fullmatch(r"-[\w-]{8}", groups.pop())
    assert here.keys() == []
    assert refusal(call, "GetDevice", AccessToken=first["AccessToken"], DeviceKey=key_of(first)) == NO_DEVICE


def test_a_pool_without_tracking_offers_none(call, pool, app, user):
    """Neither a key nor a claim, a key that is sent along means nothing, and the operations say so."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    made = call(
        "InitiateAuth",
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD, "DEVICE_KEY": "no key at all"},
    )["AuthenticationResult"]
    assert "NewDeviceMetadata" not in made
    assert "device_key" not in claims(made["AccessToken"])
    token, owner = {"AccessToken": made["AccessToken"]}, {"UserPoolId": pool_id, "Username": name}
    device, status = {"DeviceKey": UNKNOWN}, {"DeviceRememberedStatus": "remembered"}
    assert refusal(call, "ListDevices", **token) == refusal(call, "AdminListDevices", **owner) == OFF
    for operation in ("ConfirmDevice", "GetDevice", "ForgetDevice"):
        assert refusal(call, operation, **token, **device) == OFF
    for operation in ("AdminGetDevice", "AdminForgetDevice"):
        assert refusal(call, operation, **owner, **device) == OFF
    assert refusal(call, "UpdateDeviceStatus", **token, **device, **status) == OFF
    assert refusal(call, "AdminUpdateDeviceStatus", **owner, **device, **status) == OFF


def test_a_confirmed_device_shows(home, call):
    """To its user and to administrators alike, with its name, its owner and where it came from."""
    here = home()
    made, key = here.device(DeviceName="Änn's laptop", DeviceSecretVerifierConfig=VERIFIER)
    shown = here.shown(key)
    owner = f"{here.name}.{here.pool_id}"
    assert named(shown["DeviceAttributes"]) == {
        "device_status": "valid",
        "device_name": "Änn's laptop",
        "dev:device_arn": f"arn:aws:cognito-idp:us-east-1:000000000000:owner/{owner}/device/{key}",
        "dev:device_owner": owner,
        "last_ip_used": "127.0.0.1",
        "dev:device_remembered_status": "remembered",
        "dev:device_sdk": "aws-sdk",
    }
    assert shown["DeviceCreateDate"] == shown["DeviceLastModifiedDate"]
    assert shown["DeviceLastAuthenticatedDate"].microsecond == 0
    token = {"AccessToken": made["AccessToken"]}
    assert call("GetDevice", **token, DeviceKey=key)["Device"] == shown
    assert call("ListDevices", **token)["Devices"] == [shown]
    assert call("AdminListDevices", **here.owner)["Devices"] == [shown]


def test_a_device_without_a_name_and_a_secret(home):
    """Is tracked all the same."""
    here = home()
    _, key = here.device()
    assert "device_name" not in named(here.shown(key)["DeviceAttributes"])


@pytest.mark.parametrize(("configuration", "status"), [(ALWAYS, "remembered"), (ON_PROMPT, "not_remembered")])
def test_who_decides_that_a_device_is_remembered(home, call, configuration, status):
    """Confirming it does, or the user has to be asked (spec/api/04 §8)."""
    here = home(configuration)
    made = here.sign_in()
    assert here.confirm(made) is (status == "not_remembered")
    assert named(here.shown(key_of(made))["DeviceAttributes"])["dev:device_remembered_status"] == status
    device = {"DeviceKey": key_of(made)}
    for wanted in ("remembered", "not_remembered"):
        call("UpdateDeviceStatus", AccessToken=made["AccessToken"], **device, DeviceRememberedStatus=wanted)
        assert named(here.shown(key_of(made))["DeviceAttributes"])["dev:device_remembered_status"] == wanted
    call("AdminUpdateDeviceStatus", **here.owner, **device, DeviceRememberedStatus="remembered")
    shown = here.shown(key_of(made))
    assert named(shown["DeviceAttributes"])["dev:device_remembered_status"] == "remembered"
    assert shown["DeviceLastModifiedDate"] > shown["DeviceCreateDate"]


def test_a_status_must_be_named(home, call):
    """A change that changes nothing is refused."""
    here = home()
    made, key = here.device()
    missing = ("InvalidParameterException", "Missing required parameter DeviceRememberedStatus")
    assert refusal(call, "UpdateDeviceStatus", AccessToken=made["AccessToken"], DeviceKey=key) == missing
    assert refusal(call, "AdminUpdateDeviceStatus", **here.owner, DeviceKey=key) == missing


def test_a_key_is_confirmed_once_and_only_by_its_own_sign_in(home, call):
    """Not by another sign-in of the same user, nor made up (the text is Cognito's, by reports)."""
    here = home()
    first, second = here.sign_in(), here.sign_in()
    token = {"AccessToken": second["AccessToken"]}
    for key in (key_of(first), UNKNOWN):
        assert refusal(call, "ConfirmDevice", **token, DeviceKey=key) == INVALID_KEY
    here.confirm(first)
    code, _ = refusal(call, "ConfirmDevice", AccessToken=first["AccessToken"], DeviceKey=key_of(first))
    assert code == "DeviceKeyExistsException"
    assert here.keys() == [key_of(first)]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Salt": VERIFIER["Salt"]},
        {"PasswordVerifier": VERIFIER["PasswordVerifier"]},
        VERIFIER | {"Salt": ""},
        VERIFIER | {"Salt": "AA=="},
        VERIFIER | {"Salt": base64.b64encode(b"x" * 65).decode()},
        VERIFIER | {"Salt": "é"},
        VERIFIER | {"PasswordVerifier": "AQ=="},
        VERIFIER | {"PasswordVerifier": "AA=="},
        VERIFIER | {"PasswordVerifier": "not base64"},
        VERIFIER | {"PasswordVerifier": base64.b64encode(b"\xff" * 384).decode()},
        VERIFIER | {"PasswordVerifier": base64.b64encode(b"\x7f" * 385).decode()},
    ],
)
def test_secrets_that_are_none(home, call, given):
    """Half a secret, and numbers that are no verifier or no salt, are refused; nothing is tracked."""
    here = home()
    made = here.sign_in()
    token = {"AccessToken": made["AccessToken"], "DeviceKey": key_of(made)}
    code, _ = refusal(call, "ConfirmDevice", **token, DeviceSecretVerifierConfig=given)
    assert code == "InvalidParameterException"
    assert here.keys() == []


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"DeviceKey": "x" * 55 + "_1"}, "at 'deviceKey' failed to satisfy constraint: Member must have length less"),
        ({"DeviceKey": "x"}, "at 'deviceKey' failed to satisfy constraint: Member must satisfy regular expression"),
        ({"DeviceName": ""}, "at 'deviceName' failed to satisfy constraint: Member must have length greater"),
        ({"DeviceName": "x" * 1025}, "at 'deviceName' failed to satisfy constraint: Member must have length less"),
    ],
)
def test_constraints(server, home, members, text):
    """Every member has the constraints of the service description."""
    here = home()
    made = here.sign_in()
    given = {"AccessToken": made["AccessToken"], "DeviceKey": key_of(made)} | members
    assert text in refusal(unchecked(server), "ConfirmDevice", **given)[1]


def test_a_known_device_is_not_offered_anew(home, server):
    """The next sign-in from it says who it is; its date and its tokens follow, its state does not matter."""
    here = home(ON_PROMPT)
    _, key = here.device()
    before = here.shown(key)
    server.clock.advance(60)
    made = here.sign_in(key)
    assert "NewDeviceMetadata" not in made
    assert claims(made["AccessToken"])["device_key"] == key
    after = here.shown(key)
    passed = after["DeviceLastAuthenticatedDate"] - before["DeviceLastAuthenticatedDate"]
    assert 60 <= passed.total_seconds() <= 90
    assert after["DeviceLastModifiedDate"] == before["DeviceLastModifiedDate"]
    assert here.call("InitiateAuth", **here.refreshing(made, key))["AuthenticationResult"]


def test_an_unknown_device_is_told_to_begin_anew(home, call, user):
    """Only after the right password, and whosever else's the device is (spec/api/04 §8)."""
    here = home()
    _, key = here.device()
    other = user(here.pool_id)
    for unknown in (UNKNOWN, "x_1"):
        assert refusal(call, "InitiateAuth", **here.password(unknown)) == NO_DEVICE
    assert refusal(call, "InitiateAuth", **here.password(UNKNOWN, OTHER_PASSWORD)) == WRONG_PASSWORD
    assert refusal(call, "InitiateAuth", **here.password("no key at all")) == INVALID_KEY
    given = here.auth(USERNAME=other, PASSWORD=PASSWORD, DEVICE_KEY=key)
    assert refusal(call, "InitiateAuth", **given) == NO_DEVICE


def test_sign_ins_of_administrators_are_tracked(home):
    """As newer captures show it."""
    here = home()
    given = here.auth("ADMIN_USER_PASSWORD_AUTH", USERNAME=here.name, PASSWORD=PASSWORD)
    made = here.call("AdminInitiateAuth", UserPoolId=here.pool_id, **given)["AuthenticationResult"]
    here.confirm(made)
    assert here.keys() == [key_of(made)]


def test_a_refresh_needs_the_key_of_a_confirmed_device(home, call):
    """Its own: no key, another device's, and a key that was never confirmed are one refusal (spec/api/04 §8)."""
    here = home()
    _, other = here.device()
    made = here.sign_in()
    key = key_of(made)
    assert refusal(call, "InitiateAuth", **here.refreshing(made, key)) == INVALID_REFRESH
    here.confirm(made)
    for wrong in (None, other, UNKNOWN, "", "no key at all"):
        assert refusal(call, "InitiateAuth", **here.refreshing(made, wrong)) == INVALID_REFRESH
    again = call("InitiateAuth", **here.refreshing(made, key))["AuthenticationResult"]
    assert "NewDeviceMetadata" not in again
    assert claims(again["AccessToken"])["device_key"] == key


def test_a_rotating_refresh_needs_the_key_too(home, call):
    """GetTokensFromRefreshToken says it with a full stop, and a refused key spends no token."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    here = home(RefreshTokenRotation=rotation, ExplicitAuthFlows=flows)
    made, key = here.device()
    given = {"ClientId": here.client_id, "RefreshToken": made["RefreshToken"]}
    refused = (INVALID_REFRESH[0], f"{INVALID_REFRESH[1]}.")
    for wrong in ({}, {"DeviceKey": UNKNOWN}):
        assert refusal(call, "GetTokensFromRefreshToken", **given, **wrong) == refused
    for _ in range(2):
        made = call("GetTokensFromRefreshToken", **given, DeviceKey=key)["AuthenticationResult"]
        assert claims(made["AccessToken"])["device_key"] == key
        given["RefreshToken"] = made["RefreshToken"]


def test_the_token_endpoint_refreshes_no_tracked_tokens(home, call, server):
    """It has no place for a device key; what was not tracked it refreshes (spec/http/02 §2.2)."""
    oauth = {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"],
        "CallbackURLs": ["https://app.example.org/"],
        "SupportedIdentityProviders": ["COGNITO"],
    }
    here = home(**oauth)
    domain = here.pool_id.lower().replace("_", "")
    call("CreateUserPoolDomain", UserPoolId=here.pool_id, Domain=domain)
    made, _ = here.device()

    def refreshed(tokens):
        form = {"client_id": here.client_id, "grant_type": "refresh_token", "refresh_token": tokens["RefreshToken"]}
        return httpx.post(f"{server.url}/auth/{domain}/oauth2/token", data=form).json()

    assert refreshed(made) == {"error": "invalid_grant"}
    call("UpdateUserPool", UserPoolId=here.pool_id)
    assert refreshed(here.sign_in())["access_token"]


def test_tokens_follow_the_pools_present_tracking(home, call):
    """Tokens from before tracking are bound to no device; where tracking ends, so does the bond (spec/api/02 §2)."""
    here = home()
    made, _ = here.device()
    call("UpdateUserPool", UserPoolId=here.pool_id)
    assert call("InitiateAuth", **here.refreshing(made))["AuthenticationResult"]
    untracked = here.sign_in()
    call("UpdateUserPool", UserPoolId=here.pool_id, DeviceConfiguration=ALWAYS)
    assert call("InitiateAuth", **here.refreshing(untracked))["AuthenticationResult"]
    assert refusal(call, "InitiateAuth", **here.refreshing(made)) == INVALID_REFRESH


@pytest.mark.parametrize("by_user", [True, False], ids=["ForgetDevice", "AdminForgetDevice"])
def test_a_forgotten_device_refreshes_no_more(home, call, by_user):
    """It is gone once, with its refresh tokens; its access tokens and other devices stay."""
    here = home()
    made, key = here.device()
    other, other_key = here.device()

    def forget():
        if by_user:
            return "ForgetDevice", {"AccessToken": other["AccessToken"], "DeviceKey": key}
        return "AdminForgetDevice", {**here.owner, "DeviceKey": key}

    operation, members = forget()
    call(operation, **members)
    assert refusal(call, operation, **members) == NO_DEVICE
    assert refusal(call, "InitiateAuth", **here.refreshing(made, key)) == INVALID_REFRESH
    assert call("InitiateAuth", **here.refreshing(other, other_key))["AuthenticationResult"]
    assert call("GetUser", AccessToken=made["AccessToken"])["Username"] == here.name
    assert here.keys() == [other_key]
    assert refusal(call, "InitiateAuth", **here.password(key)) == NO_DEVICE
    here.confirm(made)
    assert call("InitiateAuth", **here.refreshing(made, key))["AuthenticationResult"]


def test_nobody_reaches_another_users_device(home, call, user):
    """Unknown and somebody else's are the same answer."""
    here = home()
    _, key = here.device()
    other = user(here.pool_id)
    made = call("InitiateAuth", **here.auth(USERNAME=other, PASSWORD=PASSWORD))["AuthenticationResult"]
    token, owner = {"AccessToken": made["AccessToken"]}, {"UserPoolId": here.pool_id, "Username": other}
    device, status = {"DeviceKey": key}, {"DeviceRememberedStatus": "not_remembered"}
    for operation, members in (
        ("GetDevice", token),
        ("ForgetDevice", token),
        ("UpdateDeviceStatus", token | status),
        ("AdminGetDevice", owner),
        ("AdminForgetDevice", owner),
        ("AdminUpdateDeviceStatus", owner | status),
    ):
        assert refusal(call, operation, **members, **device) == NO_DEVICE
    assert call("ListDevices", **token)["Devices"] == []
    assert here.keys() == [key]


def test_a_user_who_is_not_there(home, call):
    """Is said in the terms of each operation."""
    here = home()
    nobody = {"UserPoolId": here.pool_id, "Username": "nobody"}
    missing = ("ResourceNotFoundException", NO_USER[1])
    assert refusal(call, "AdminListDevices", **nobody) == missing
    assert refusal(call, "AdminGetDevice", **nobody, DeviceKey=UNKNOWN) == missing
    assert refusal(call, "AdminForgetDevice", **nobody, DeviceKey=UNKNOWN) == NO_USER
    elsewhere = nobody | {"UserPoolId": "us-east-1_000000000"}
    assert refusal(call, "AdminListDevices", **elsewhere)[0] == "ResourceNotFoundException"


def test_devices_are_listed_in_pages(home, call, user):
    """Each once, whatever the page size; a token continues its own user's list only, whoever reads it."""
    here = home()
    devices = sorted(here.device()[1] for _ in range(5))
    made, key = here.device()
    pages, token = [], {}
    while True:
        answer = call("ListDevices", AccessToken=made["AccessToken"], Limit=2, **token)
        pages.append([each["DeviceKey"] for each in answer["Devices"]])
        if "PaginationToken" not in answer:
            break
        token = {"PaginationToken": answer["PaginationToken"]}
    assert [len(page) for page in pages] == [2, 2, 2]
    assert [each for page in pages for each in page] == sorted([*devices, key])
    first = call("AdminListDevices", **here.owner, Limit=4)
    rest = call("AdminListDevices", **here.owner, Limit=4, PaginationToken=first["PaginationToken"])
    assert [len(first["Devices"]), len(rest["Devices"])] == [4, 2]
    other = {"UserPoolId": here.pool_id, "Username": user(here.pool_id)}
    refused = ("InvalidParameterException", "Invalid pagination token given.")
    for owner, bad in ((other, first["PaginationToken"]), (here.owner, "junk")):
        assert refusal(call, "AdminListDevices", **owner, PaginationToken=bad) == refused
    assert len(call("AdminListDevices", **here.owner, Limit=0)["Devices"]) == 6


def test_a_user_has_a_bounded_number_of_devices(home, server):
    """A further one takes the place of the one that was used the longest ago."""
    from tests.storage.builders import device

    here = home()
    user_id = server.read(lambda tx: tx.users.find_by_username(here.pool_id, here.name)).id

    def fill(tx):
        for number in range(MAX_DEVICES):
            each = device(user_id, f"us-east-1_{number:04}", authenticated_at=1000 + number)
            tx.devices.insert(each, MAX_DEVICES)

    server.write(fill)
    _, key = here.device()

    def stored(tx):
        return [each.key for each in tx.devices.page(user_id, after=None, limit=MAX_DEVICES + 9)]

    keys = server.read(stored)
    assert len(keys) == MAX_DEVICES
    assert key in keys
    assert {"us-east-1_0000", "us-east-1_0001"} & {*keys} == {"us-east-1_0001"}


def test_tokens_without_origin_confirm_too(home):
    """A client whose tokens name no session knows its device by the token itself."""
    here = home(EnableTokenRevocation=False)
    made, key = here.device()
    assert "origin_jti" not in claims(made["AccessToken"])
    assert here.keys() == [key]


def test_verifiers_are_sealed(home, server):
    """What is stored of a device's secret does not give it away."""
    here = home()
    _, key = here.device(DeviceSecretVerifierConfig=VERIFIER)
    user = server.read(lambda tx: tx.users.find_by_username(here.pool_id, here.name))
    stored = server.read(lambda tx: tx.devices.find(user.id, key))
    assert base64.b64decode(VERIFIER["PasswordVerifier"])[1:] not in stored.verifier
    assert len(stored.verifier) > 384
