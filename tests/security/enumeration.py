"""Telling users from names that are nobody's: by the answer, and by the time that it takes."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from pycognito.aws_srp import AWSSRP

from tests.conftest import Server
from tests.wire.client import CONTENT_TYPE, PREFIX

CALLBACK = "https://app.example/cb"
TOKEN = "11111111-1111-4111-8111-111111111111"
HOUR = 3601
WARM_UP, PAUSE_SECONDS = 4, 0.01


@dataclass
class Question:
    """One way to ask whether a user exists: ``ask`` takes a name."""

    name: str
    ask: Callable[[str], httpx.Response]


class Inquirer:
    """Somebody who wants to know whether there is a user of a name."""

    def __init__(self, server: Server, pages: Any, srp_parameters: dict[str, str]) -> None:
        self.server, self._pages, self._srp = server, pages, srp_parameters
        self.http = httpx.Client(trust_env=False, timeout=60)

    def close(self) -> None:
        self.http.close()

    def questions(self) -> list[Question]:
        """Every way that row 28 names."""
        password = "Wrong-Horse-1"
        return [
            self._api(
                "InitiateAuth USER_PASSWORD_AUTH",
                "InitiateAuth",
                lambda name: {
                    "AuthFlow": "USER_PASSWORD_AUTH",
                    "AuthParameters": {"USERNAME": name, "PASSWORD": password},
                },
            ),
            self._api(
                "InitiateAuth USER_SRP_AUTH",
                "InitiateAuth",
                lambda name: {
                    "AuthFlow": "USER_SRP_AUTH",
                    "AuthParameters": {"USERNAME": name, "SRP_A": self._srp["SRP_A"]},
                },
            ),
            self._api(
                "InitiateAuth USER_AUTH",
                "InitiateAuth",
                lambda name: {"AuthFlow": "USER_AUTH", "AuthParameters": {"USERNAME": name}},
            ),
            self._api("ForgotPassword", "ForgotPassword", lambda name: {"Username": name}),
            self._api(
                "ConfirmForgotPassword",
                "ConfirmForgotPassword",
                lambda name: {"Username": name, "ConfirmationCode": "000000", "Password": "Battery-Staple-2"},
            ),
            Question("hosted page", self._page),
            Question("hosted recovery", self._recovery),
        ]

    def unconfirmed(self) -> Question:
        """The question that only users who wait for their confirmation are asked."""
        return self._api("ResendConfirmationCode", "ResendConfirmationCode", lambda name: {"Username": name})

    def _api(self, title: str, operation: str, members: Callable[[str], dict[str, Any]]) -> Question:
        headers = {"content-type": CONTENT_TYPE, "x-amz-target": PREFIX + operation}

        def ask(name: str) -> httpx.Response:
            body = json.dumps({"ClientId": self._pages.client_id} | members(name))
            return self.http.post(self.server.url, content=body, headers=headers)

        return Question(title, ask)

    def _page(self, name: str) -> httpx.Response:
        return self._form("/login", {"username": name, "password": "Wrong-Horse-1"})

    def _recovery(self, name: str) -> httpx.Response:
        return self._form("/forgotPassword", {"username": name})

    def _form(self, path: str, fields: dict[str, str]) -> httpx.Response:
        self.http.cookies.clear()
        return self.http.post(
            self._pages.base + path + self._pages.query(),
            data={"_csrf": TOKEN} | fields,
            headers={"cookie": f"XSRF-TOKEN={TOKEN}"},
        )


def srp_parameters(pages: Any) -> dict[str, str]:
    """A client's first word in SRP."""
    side = AWSSRP(username="x", password="x", pool_id=pages.pool_id, client_id=pages.client_id, client=object())
    return side.get_auth_params()


def times(server: Server, question: Question, known: str, unknown: str, rounds: int) -> tuple[list[float], list[float]]:
    """Ask about both names in turn; return how long each answer took, in milliseconds.

    Limits and locks, which are alike for both, are left behind by the clock. Between two questions the server may
    finish what the first one left to do.
    """
    taken: dict[str, list[float]] = {known: [], unknown: []}
    for number in range(rounds + WARM_UP):
        for name in (known, unknown) if number % 2 else (unknown, known):
            server.clock.advance(HOUR)
            begun = time.perf_counter()
            answer = question.ask(name)
            spent = (time.perf_counter() - begun) * 1000
            assert answer.status_code in {200, 302, 400}, answer.text
            if number >= WARM_UP:
                taken[name].append(spent)
            time.sleep(PAUSE_SECONDS)
    return taken[known], taken[unknown]


def difference(first: list[float], second: list[float]) -> float:
    """Return by how much the longer of two series takes longer, in proportion to the shorter.

    Compared are the lower quartiles: what else the machine does can only make an answer later.
    """
    one, two = sorted(statistics.quantiles(series, n=4)[0] for series in (first, second))
    return two / one - 1
