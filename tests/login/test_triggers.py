"""What functions hear of sign-ins on the pages, and how their words show there (spec/http/09, row L13)."""

import pytest

from tests.conftest import PASSWORD
from tests.operations.talk import refusal


def test_a_sign_in_is_told(front, visitor, user, functions):
    """Functions hear before and after, and of tokens as those of managed login; what the first throws is shown: L13."""

    def deny_mallory(event, context):
        if event["userName"] == "mallory":
            raise PermissionError("x")
        return event

    arn = functions.add(deny_mallory)
    triggers = ("PreAuthentication", "PostAuthentication", "PreTokenGeneration")
    site = front(LambdaConfig=dict.fromkeys(triggers, arn))
    for name in ("ann", "mallory"):
        user(site.pool_id, name)
    browser = visitor(site)
    refused = browser.send(browser.open("/login" + site.query()), username="mallory", password=PASSWORD)
    assert refused.error == "PreAuthentication failed with error x."
    site.redeem(browser.send(refused, username="ann", password=PASSWORD).location)
    assert [event["triggerSource"] for event in functions.events(arn)[1:]] == [
        "PreAuthentication_Authentication",
        "PostAuthentication_Authentication",
        "TokenGeneration_HostedAuth",
    ]


def test_users_come_over_from_another_directory(front, visitor, functions):
    """At the first sign-in on the page, with the old password or after resetting it; failures look like nobody."""

    def look_up(event, context):
        name, password = event["userName"], event["request"].get("password")
        if password == "old" and name in {"ann", "bob"}:
            event["response"]["userAttributes"] = {"email": f"{name}@pages.example", "email_verified": "true"}
            event["response"]["finalUserStatus"] = "CONFIRMED" if name == "ann" else "RESET_REQUIRED"
            event["response"]["messageAction"] = "SUPPRESS"
        return event

    site = front(LambdaConfig={"UserMigration": functions.add(look_up)})
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    wrong = browser.send(page, username="eve", password="old")
    assert wrong.error
    assert refusal(site.call, "AdminGetUser", UserPoolId=site.pool_id, Username="eve")[0] == "UserNotFoundException"
    reset = browser.send(wrong, username="bob", password="old")
    assert reset.error == "Password reset required for the user"
    assert "id_token" in site.redeem(browser.send(reset, username="ann", password="old").location)
    assert [site.user(name)["UserStatus"] for name in ("ann", "bob")] == ["CONFIRMED", "RESET_REQUIRED"]


@pytest.mark.parametrize("existence", ["LEGACY", "ENABLED"])
def test_users_come_over_who_give_their_name_first(front, visitor, functions, existence):
    """The function is asked once the password is there; until then there is nobody who could be refused."""

    def look_up(event, context):
        if event["request"]["password"] == "old":
            event["response"]["userAttributes"] = {"email": "ann@pages.example", "email_verified": "true"}
            event["response"] |= {"finalUserStatus": "CONFIRMED", "messageAction": "SUPPRESS"}
        return event

    client = {
        "ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "PreventUserExistenceErrors": existence,
    }
    site = front(client=client, LambdaConfig={"UserMigration": functions.add(look_up)})
    browser = visitor(site)
    asked = browser.send(browser.open("/login" + site.query()), username="ann")
    wrong = browser.send(asked, password="new")
    assert wrong.error
    again = browser.send(browser.open("/login" + site.query()), username="ann")
    assert "id_token" in site.redeem(browser.send(again, password="old").location)
