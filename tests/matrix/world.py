"""What valid requests are about: one pool and the things in it, each made when it is first asked for."""

import functools
import itertools
from collections.abc import Callable, Generator
from typing import Any

from botocore.exceptions import ClientError

from poolhouse.api.registry import function_name
from poolhouse.model import OPERATIONS
from tests.conftest import PASSWORD
from tests.operations.talk import listed, shown, sign_in

FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]
SMS = {"SnsCallerArn": "arn:aws:iam::000000000000:role/sms", "ExternalId": "matrix"}
_numbers = itertools.count(1)
# In such a pool everything is allowed that requests ask for.
SETTINGS = {
    "AutoVerifiedAttributes": ["email"],
    "SmsConfiguration": SMS,
    "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
    "UserPoolTier": "PLUS",
}

Request = dict[str, Any]
# Gives a valid request once, is sent the answer, and then fails unless the request had its effect.
Case = Callable[["World"], Generator[Request, Any, None]]
CASES: dict[str, Case] = {}
_OPERATIONS = {function_name(name): name for name in OPERATIONS}


def case(function: Case) -> Case:
    """Enter a case under the operation that it is named after."""
    operation = _OPERATIONS[function.__name__]
    assert operation not in CASES, operation
    CASES[operation] = function
    return function


class World:
    """A pool and what is in it."""

    def __init__(self, call, inbox, server, functions) -> None:
        self.call, self.inbox, self.server, self.functions = call, inbox, server, functions

    def new(self, word: str) -> str:
        """A name that nothing has."""
        return f"{word}-{next(_numbers)}"

    def new_pool(self, **settings: Any) -> str:
        """The id of another pool."""
        return self.call("CreateUserPool", PoolName=self.new("pool"), **settings)["UserPool"]["Id"]

    @functools.cached_property
    def pool_id(self) -> str:
        return self.new_pool(**SETTINGS)

    @property
    def pool(self) -> Request:
        """The pool, as a member of a request."""
        return {"UserPoolId": self.pool_id}

    @property
    def arn(self) -> str:
        return self.described["Arn"]

    @property
    def described(self) -> Request:
        return self.call("DescribeUserPool", **self.pool)["UserPool"]

    def new_client(self, **settings: Any) -> Request:
        """Another app client, as described."""
        members = {"ClientName": self.new("client"), "ExplicitAuthFlows": FLOWS} | settings
        return self.call("CreateUserPoolClient", **self.pool, **members)["UserPoolClient"]

    @functools.cached_property
    def client(self) -> Request:
        return self.new_client()

    @property
    def client_id(self) -> str:
        return self.client["ClientId"]

    @property
    def client_of_pool(self) -> Request:
        """The client, as members of a request."""
        return self.pool | {"ClientId": self.client_id}

    @functools.cached_property
    def confidential(self) -> Request:
        """A client that has a secret."""
        return self.new_client(GenerateSecret=True)

    def new_user(self, *, password: str | None = PASSWORD, permanent: bool = True, **attributes: str) -> str:
        """Another user, with a verified address; its name."""
        name = self.new("user")
        attributes = {"email": f"{name}@matrix.example", "email_verified": "true"} | attributes
        self.call(
            "AdminCreateUser",
            **self.pool,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=listed(**attributes),
        )
        if password is not None:
            known = {"Username": name, "Password": password, "Permanent": permanent}
            self.call("AdminSetUserPassword", **self.pool, **known)
        return name

    @functools.cached_property
    def username(self) -> str:
        return self.new_user()

    @property
    def user(self) -> Request:
        """The user, as members of a request."""
        return self.pool | {"Username": self.username}

    def shown(self, name: str | None = None) -> Request:
        """A user as administrators see it."""
        return shown(self.call, self.pool_id, name or self.username)

    def attribute(self, wanted: str, name: str | None = None) -> str | None:
        """The value of an attribute of a user."""
        attributes = self.shown(name)["UserAttributes"]
        return next((it["Value"] for it in attributes if it["Name"] == wanted), None)

    def signed_up(self) -> tuple[str, str]:
        """A user who has signed up and is not confirmed, and the address that the code went to."""
        name = self.new("new")
        address = f"{name}@matrix.example"
        known = {"ClientId": self.client_id, "Username": name, "Password": PASSWORD}
        self.call("SignUp", **known, UserAttributes=listed(email=address))
        return name, address

    def sign_in(self, name: str | None = None, password: str = PASSWORD) -> Request:
        """The tokens of a sign-in."""
        return sign_in(self.call, self.client, name or self.username, password)

    @functools.cached_property
    def tokens(self) -> Request:
        return self.sign_in()

    @property
    def access(self) -> Request:
        """The user's access token, as a member of a request."""
        return {"AccessToken": self.tokens["AccessToken"]}

    def new_group(self) -> str:
        return self.call("CreateGroup", **self.pool, GroupName=self.new("group"))["Group"]["GroupName"]

    @functools.cached_property
    def group_name(self) -> str:
        return self.new_group()

    @property
    def group(self) -> Request:
        return self.pool | {"GroupName": self.group_name}

    @functools.cached_property
    def domain(self) -> str:
        """A prefix domain of the pool."""
        name = f"matrix-{self.pool_id[-9:].encode().hex()}"
        self.call("CreateUserPoolDomain", **self.pool, Domain=name, ManagedLoginVersion=1)
        return name

    def names(self, operation: str, items: str, name: str, /, **members: Any) -> list[str]:
        """One member of each item of a list."""
        return [it[name] for it in self.call(operation, **members)[items]]

    def refused(self, operation: str, /, **members: Any) -> str | None:
        """The code of the error that a call ends in, or nothing."""
        try:
            self.call(operation, **members)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return None
