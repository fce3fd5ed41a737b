"""What administrators do with users and groups (spec/api/03 §8–9, 05)."""

from tests.matrix.cases.clients import provider
from tests.matrix.world import PASSWORD, case
from tests.operations.talk import OTHER_PASSWORD, listed


@case
def admin_create_user(world):
    """03 §8"""
    name = world.new("made")
    answer = yield world.pool | {"Username": name, "UserAttributes": listed(email=f"{name}@matrix.example")}
    assert answer["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert world.shown(name)["Username"] == name
    assert world.inbox(f"{name}@matrix.example")


@case
def admin_get_user(world):
    """03 §9"""
    answer = yield world.user
    assert (answer["Username"], answer["UserStatus"]) == (world.username, "CONFIRMED")


@case
def admin_delete_user(world):
    """03 §9"""
    yield world.user
    assert world.refused("AdminGetUser", **world.user) == "UserNotFoundException"


@case
def admin_confirm_sign_up(world):
    """03 §3"""
    name, _ = world.signed_up()
    yield world.pool | {"Username": name}
    assert world.shown(name)["UserStatus"] == "CONFIRMED"


@case
def admin_disable_user(world):
    """03 §9"""
    yield world.user
    assert world.shown()["Enabled"] is False


@case
def admin_enable_user(world):
    """03 §9"""
    world.call("AdminDisableUser", **world.user)
    yield world.user
    assert world.shown()["Enabled"] is True


@case
def admin_reset_user_password(world):
    """03 §7"""
    yield world.user
    assert world.shown()["UserStatus"] == "RESET_REQUIRED"
    assert world.inbox(f"{world.username}@matrix.example")


@case
def admin_set_user_password(world):
    """03 §9"""
    yield world.user | {"Password": OTHER_PASSWORD, "Permanent": True}
    assert world.sign_in(password=OTHER_PASSWORD)


@case
def admin_update_user_attributes(world):
    """03 §9"""
    yield world.user | {"UserAttributes": listed(name="Ann")}
    assert world.attribute("name") == "Ann"


@case
def admin_delete_user_attributes(world):
    """03 §9"""
    world.call("AdminUpdateUserAttributes", **world.user, UserAttributes=listed(name="Ann"))
    yield world.user | {"UserAttributeNames": ["name"]}
    assert world.attribute("name") is None


@case
def admin_user_global_sign_out(world):
    """04 §11"""
    token = world.access
    yield world.user
    assert world.refused("GetUser", **token) == "NotAuthorizedException"


@case
def list_users(world):
    """05 §1"""
    name = world.new_user()
    world.new_user()
    answer = yield world.pool | {"Filter": f'username = "{name}"', "AttributesToGet": ["email"], "Limit": 60}
    assert [it["Username"] for it in answer["Users"]] == [name]
    assert [it["Name"] for it in answer["Users"][0]["Attributes"]] == ["email"]


# Groups (05 §3)


def groups_of(world, name: str) -> list[str]:
    return world.names("AdminListGroupsForUser", "Groups", "GroupName", **world.pool, Username=name)


def member(world) -> dict:
    world.call("AdminAddUserToGroup", **world.group, Username=world.username)
    return world.group | {"Username": world.username}


@case
def create_group(world):
    """05 §3"""
    answer = yield world.pool | {"GroupName": "made", "Precedence": 3, "Description": "made"}
    assert world.call("GetGroup", **world.pool, GroupName="made") == answer
    assert answer["Group"]["Precedence"] == 3


@case
def get_group(world):
    """05 §3"""
    answer = yield world.group
    assert answer["Group"]["GroupName"] == world.group_name


@case
def update_group(world):
    """05 §3"""
    answer = yield world.group | {"Description": "changed"}
    assert answer["Group"]["Description"] == "changed"
    assert world.call("GetGroup", **world.group) == answer


@case
def delete_group(world):
    """05 §3"""
    yield world.group
    assert world.refused("GetGroup", **world.group) == "ResourceNotFoundException"


@case
def list_groups(world):
    """05 §3"""
    made = {world.new_group(), world.new_group()}
    answer = yield world.pool | {"Limit": 60}
    assert {it["GroupName"] for it in answer["Groups"]} == made


@case
def admin_add_user_to_group(world):
    """05 §3"""
    yield world.group | {"Username": world.username}
    assert groups_of(world, world.username) == [world.group_name]


@case
def admin_remove_user_from_group(world):
    """05 §3"""
    yield member(world)
    assert groups_of(world, world.username) == []


@case
def admin_list_groups_for_user(world):
    """05 §3"""
    member(world)
    answer = yield world.user | {"Limit": 60}
    assert [it["GroupName"] for it in answer["Groups"]] == [world.group_name]


@case
def list_users_in_group(world):
    """05 §2"""
    member(world)
    answer = yield world.group | {"Limit": 60}
    assert [it["Username"] for it in answer["Users"]] == [world.username]


# Users of providers (03 §11)


def linked(world) -> dict:
    """A name at a provider that is linked to the user."""
    provider(world)
    source = {"ProviderName": "Partner", "ProviderAttributeName": "Cognito_Subject", "ProviderAttributeValue": "far"}
    destination = {"ProviderName": "Cognito", "ProviderAttributeValue": world.username}
    return {"DestinationUser": destination, "SourceUser": source}


@case
def admin_link_provider_for_user(world):
    """03 §11"""
    yield world.pool | linked(world)
    assert "far" in (world.attribute("identities") or "")


@case
def admin_disable_provider_for_user(world):
    """03 §11"""
    link = linked(world)
    world.call("AdminLinkProviderForUser", **world.pool, **link)
    yield world.pool | {"User": link["SourceUser"]}
    assert "far" not in (world.attribute("identities") or "")


# Sign-in by administrators (04 §1–2)


@case
def admin_initiate_auth(world):
    """04 §2"""
    parameters = {"USERNAME": world.username, "PASSWORD": PASSWORD}
    answer = yield world.client_of_pool | {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters}
    token = answer["AuthenticationResult"]["AccessToken"]
    assert world.call("GetUser", AccessToken=token)["Username"] == world.username


@case
def admin_respond_to_auth_challenge(world):
    """04 §3"""
    name = world.new_user(permanent=False)
    parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
    asked = world.call(
        "AdminInitiateAuth",
        **world.client_of_pool,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters=parameters,
    )
    answer = yield world.client_of_pool | {
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": name, "NEW_PASSWORD": OTHER_PASSWORD},
    }
    assert answer["AuthenticationResult"]["AccessToken"]
    assert world.shown(name)["UserStatus"] == "CONFIRMED"
