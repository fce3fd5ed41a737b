"""Telling users from names that are nobody's: by the answer, and by the time that it takes."""

import base64
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
    """One way to ask whether a user exists: ``ready`` takes a name and returns what asks about it."""

    name: str
    ready: Callable[[str], Callable[[], httpx.Response]]

    def ask(self, name: str) -> httpx.Response:
        return self.ready(name)()


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
            self._api(
                "InitiateAuth EMAIL_OTP",
                "InitiateAuth",
                lambda name: {
                    "AuthFlow": "USER_AUTH",
                    "AuthParameters": {"USERNAME": name, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
                },
            ),
            Question("PASSWORD_VERIFIER", self._prove),
            Question("EMAIL_OTP", self._give_code),
            self._api("ForgotPassword", "ForgotPassword", lambda name: {"Username": name}),
            self._api(
                "ConfirmForgotPassword",
                "ConfirmForgotPassword",
                lambda name: {"Username": name, "ConfirmationCode": "000000", "Password": "Battery-Staple-2"},
            ),
            Question("hosted page", lambda name: partial(self._page, name)),
            Question("hosted recovery", lambda name: partial(self._recovery, name)),
        ]

    def unconfirmed(self) -> Question:
        """The question that only users who wait for their confirmation are asked."""
        return self._api("ResendConfirmationCode", "ResendConfirmationCode", lambda name: {"Username": name})

    def _api(self, title: str, operation: str, members: Callable[[str], dict[str, Any]]) -> Question:
        return Question(title, lambda name: partial(self._call, operation, members(name)))

    def _call(self, operation: str, members: dict[str, Any]) -> httpx.Response:
        headers = {"content-type": CONTENT_TYPE, "x-amz-target": PREFIX + operation}
        body = json.dumps({"ClientId": self._pages.client_id} | members)
        return self.http.post(self.server.url, content=body, headers=headers)

    def _begin(self, members: dict[str, Any]) -> tuple[Callable[[], httpx.Response] | None, dict[str, Any]]:
        """Begin a sign-in; where that is refused, the refusal is the answer."""
        answer = self._call("InitiateAuth", members)
        return (None if answer.status_code == 200 else lambda: answer), answer.json()

    def _prove(self, name: str) -> Callable[[], httpx.Response]:
        """Begin SRP, and get ready for a proof of the wrong password."""
        parameters = {"USERNAME": name, "SRP_A": self._srp["SRP_A"]}
        refused, begun = self._begin({"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters})
        if refused:
            return refused
        proof = {
            "USERNAME": begun["ChallengeParameters"]["USER_ID_FOR_SRP"],
            "PASSWORD_CLAIM_SECRET_BLOCK": begun["ChallengeParameters"]["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode(),
            "TIMESTAMP": "Sat Jan 3 00:00:00 UTC 2026",
        }
        answer = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": proof}
        return partial(self._call, "RespondToAuthChallenge", answer)

    def _give_code(self, name: str) -> Callable[[], httpx.Response]:
        """Have a code sent, and get ready to give a wrong one."""
        parameters = {"USERNAME": name, "PREFERRED_CHALLENGE": "EMAIL_OTP"}
        refused, begun = self._begin({"AuthFlow": "USER_AUTH", "AuthParameters": parameters})
        if refused:
            return refused
        answer = {
            "ChallengeName": "EMAIL_OTP",
            "Session": begun["Session"],
            "ChallengeResponses": {"USERNAME": name, "EMAIL_OTP_CODE": "00000000"},
        }
        return partial(self._call, "RespondToAuthChallenge", answer)

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
            ask = question.ready(name)
            begun = time.perf_counter()
            answer = ask()
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
