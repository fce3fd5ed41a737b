"""Devices, and the events of sign-ins (spec/api/04 §8, 07 §5)."""

import base64

from poolhouse.flows.calls import Origin, PublicCall
from poolhouse.flows.feedback import make_token
from tests.matrix.world import case

# Devices (04 §8)


def tracking(world) -> None:
    """Have the pool remember devices."""
    remembered = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True}
    world.call("UpdateUserPool", **world.pool, DeviceConfiguration=remembered, AutoVerifiedAttributes=["email"])


def new_device(world) -> str:
    """Sign in where devices are remembered; give the key that the sign-in was given."""
    tracking(world)
    return world.tokens["NewDeviceMetadata"]["DeviceKey"]


VERIFIER = {"Salt": base64.b64encode(b"s" * 16).decode(), "PasswordVerifier": base64.b64encode(b"\1" * 384).decode()}


def device(world) -> dict:
    """Confirm a device; give the member that names it."""
    named = {"DeviceKey": new_device(world)}
    world.call("ConfirmDevice", **world.access, **named, DeviceSecretVerifierConfig=VERIFIER, DeviceName="phone")
    return named


def device_keys(world) -> list[str]:
    return world.names("AdminListDevices", "Devices", "DeviceKey", **world.user)


def remembered(world, named: dict) -> str:
    shown = world.call("AdminGetDevice", **world.user, **named)["Device"]["DeviceAttributes"]
    return next(it["Value"] for it in shown if it["Name"] == "dev:device_remembered_status")


@case
def confirm_device(world):
    """04 §8"""
    named = {"DeviceKey": new_device(world)}
    answer = yield world.access | named | {"DeviceSecretVerifierConfig": VERIFIER, "DeviceName": "phone"}
    assert answer["UserConfirmationNecessary"] is True
    assert device_keys(world) == [named["DeviceKey"]]


@case
def get_device(world):
    """04 §8"""
    named = device(world)
    answer = yield world.access | named
    assert answer["Device"]["DeviceKey"] == named["DeviceKey"]


@case
def admin_get_device(world):
    """04 §8"""
    named = device(world)
    answer = yield world.user | named
    assert answer["Device"]["DeviceKey"] == named["DeviceKey"]


@case
def list_devices(world):
    """04 §8"""
    named = device(world)
    answer = yield world.access | {"Limit": 60}
    assert [it["DeviceKey"] for it in answer["Devices"]] == [named["DeviceKey"]]


@case
def admin_list_devices(world):
    """04 §8"""
    named = device(world)
    answer = yield world.user | {"Limit": 60}
    assert [it["DeviceKey"] for it in answer["Devices"]] == [named["DeviceKey"]]


@case
def update_device_status(world):
    """04 §8"""
    named = device(world)
    yield world.access | named | {"DeviceRememberedStatus": "remembered"}
    assert remembered(world, named) == "remembered"


@case
def admin_update_device_status(world):
    """04 §8"""
    named = device(world)
    yield world.user | named | {"DeviceRememberedStatus": "remembered"}
    assert remembered(world, named) == "remembered"


@case
def forget_device(world):
    """04 §8"""
    named = device(world)
    yield world.access | named
    assert device_keys(world) == []


@case
def admin_forget_device(world):
    """04 §8"""
    named = device(world)
    yield world.user | named
    assert device_keys(world) == []


# Events of sign-ins (07 §5)


def event(world) -> str:
    """Sign in where sign-ins are recorded; give the id of the event."""
    assert world.access
    return world.names("AdminListUserAuthEvents", "AuthEvents", "EventId", **world.user)[0]


@case
def admin_list_user_auth_events(world):
    """07 §5"""
    assert world.access
    answer = yield world.user | {"MaxResults": 60}
    assert [(it["EventType"], it["EventResponse"]) for it in answer["AuthEvents"]] == [("SignIn", "Pass")]


def feedback(world) -> str:
    (found,) = world.call("AdminListUserAuthEvents", **world.user)["AuthEvents"]
    return found["EventFeedback"]["FeedbackValue"]


@case
def admin_update_auth_event_feedback(world):
    """07 §5"""
    yield world.user | {"EventId": event(world), "FeedbackValue": "Valid"}
    assert feedback(world) == "Valid"


@case
def update_auth_event_feedback(world):
    """07 §5: by the token that a mail about the event would bring."""
    told = event(world)
    call = PublicCall(deps=world.server.deps, now=world.server.clock.now(), origin=Origin(request_id="r"))

    user = world.server.read(lambda tx: tx.users.find_by_username(world.pool_id, world.username))
    token = make_token(call, world.pool_id, user.id, told)
    yield world.user | {"EventId": told, "FeedbackToken": token, "FeedbackValue": "Invalid"}
    assert feedback(world) == "Invalid"
