"""Short words for what the tests of operations say often."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from botocore.exceptions import ClientError

PASSWORD = "Correct-Horse-1"
OTHER_PASSWORD = "Battery-Staple-2"
MISMATCH = ("CodeMismatchException", "Invalid verification code provided, please try again.")
EXPIRED = ("ExpiredCodeException", "Invalid code provided, please request a code again.")
LIMIT = ("LimitExceededException", "Attempt limit exceeded, please try after some time.")
NO_USER = ("UserNotFoundException", "User does not exist.")
NO_COMBINATION = ("UserNotFoundException", "Username/client id combination not found.")
WRONG_PASSWORD = ("NotAuthorizedException", "Incorrect username or password.")
DISABLED = ("NotAuthorizedException", "User is disabled.")


def refusal(call, operation: str, /, **members: Any) -> tuple[str, str]:
    """The code and the text of the error that a call must end in."""
    with pytest.raises(ClientError) as raised:
        call(operation, **members)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def listed(**attributes: str) -> list[dict[str, str]]:
    """Attributes as requests list them; ``custom_x`` stands for ``custom:x``."""
    return [{"Name": name.replace("custom_", "custom:"), "Value": value} for name, value in attributes.items()]


def named(attributes: list[dict[str, str]]) -> dict[str, str]:
    """Attributes by name."""
    return {attribute["Name"]: attribute["Value"] for attribute in attributes}


def sign_up(call, client: dict[str, Any], username: str, password: str = PASSWORD, **attributes: str) -> dict[str, Any]:
    """Sign up with these attributes."""
    return call(
        "SignUp",
        ClientId=client["ClientId"],
        Username=username,
        Password=password,
        UserAttributes=listed(**attributes),
    )


def confirm(call, client: dict[str, Any], username: str, code: str) -> None:
    """Confirm a sign-up with the code that was sent."""
    call("ConfirmSignUp", ClientId=client["ClientId"], Username=username, ConfirmationCode=code)


def shown(call, pool_id: str, username: str) -> dict[str, Any]:
    """A user as AdminGetUser shows it."""
    return call("AdminGetUser", UserPoolId=pool_id, Username=username)


def sign_in(call, client: dict[str, Any], username: str, password: str = PASSWORD) -> dict[str, Any]:
    """The tokens of a sign-in with a password."""
    return call(
        "InitiateAuth",
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )["AuthenticationResult"]


def sign_in_refusal(call, client: dict[str, Any], username: str, password: str = PASSWORD) -> tuple[str, str]:
    """Why a sign-in with a password is refused."""
    return refusal(
        call,
        "InitiateAuth",
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )


def secret_hash(client: dict[str, Any], username: str) -> str:
    """The SECRET_HASH that a confidential client sends."""
    message = (username + client["ClientId"]).encode()
    return base64.b64encode(hmac.digest(client["ClientSecret"].encode(), message, hashlib.sha256)).decode()


def other(code: str) -> str:
    """A code that is wrong for sure."""
    return f"{(int(code) + 1) % 1_000_000:06}"
