"""A stranger's tools: everything a user holds, and every door it could open."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import PASSWORD, Server
from tests.login.conftest import Front, front, visitor
from tests.oauth.conftest import http, site
from tests.wire.client import RawClient

__all__ = ["PASSWORD", "Front", "front", "http", "raw", "site", "srp_start", "visitor"]


@pytest.fixture
def raw(server: Server) -> Iterator[RawClient]:
    """A client that sends what it is told to."""
    client = RawClient(server)
    yield client
    client.close()


@pytest.fixture
def srp_start(call) -> Callable[..., tuple[Any, dict[str, str]]]:
    """Begin a sign-in by SRP: pycognito's side of it, and the challenge that came back."""
    from pycognito.aws_srp import AWSSRP

    def start(pool_id: str, client_id: str, username: str, password: str = PASSWORD) -> tuple[Any, dict[str, str]]:
        side = AWSSRP(username=username, password=password, pool_id=pool_id, client_id=client_id, client=object())
        answer = call(
            "InitiateAuth", ClientId=client_id, AuthFlow="USER_SRP_AUTH", AuthParameters=side.get_auth_params()
        )
        return side, answer["ChallengeParameters"]

    return start
