"""What the challenges of a sign-in are given, and what they give back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from poolhouse.core.client import Client
from poolhouse.core.devices import Device
from poolhouse.core.pool import Pool
from poolhouse.core.risk_levels import NOTHING_FOUND
from poolhouse.core.sign_in import Progress
from poolhouse.core.user import User
from poolhouse.flows.calls import AdminCall, Call
from poolhouse.flows.journal import Entry, Write
from poolhouse.model import EventType, InvalidParameterException

__all__ = ["Challenge", "Proved", "Question", "Talk", "Write", "required"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One sign-in under way.

    ``user`` is None where no such user exists and the client conceals that; ``name`` is the stored user name,
    or the name given where there is no user. ``device`` is the user's that the client says it is. ``secret`` is what ``ask`` had sealed for ``check``.
    ``client_metadata`` is what triggers after this step may see.
    """

    call: Call
    pool: Pool
    client: Client
    user: User | None
    name: str
    progress: Progress
    device: Device | None = None
    secret: bytes = b""
    client_metadata: dict[str, str] | None = None

    @property
    def entry(self) -> Entry:
        """The sign-in as the pool's journal sees it."""
        return Entry(
            call=self.call,
            pool=self.pool,
            client=self.client,
            user=self.user,
            name=self.name,
            type=EventType.SignIn,
            id=self.progress.event_id,
            assessment=self.progress.assessment or NOTHING_FOUND,
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What to show with a challenge, and what to keep under the seal until it is answered."""

    parameters: dict[str, str]
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class Proved:
    """What a right answer showed. ``writes`` are still to be made, in the transaction that ends the step.

    ``user`` is None for one who is not there: an answer may lead on without proving anything.
    """

    user: User | None
    progress: Progress
    writes: tuple[Write, ...] = ()


class Challenge(Protocol):
    """A module of this package. It says what was shown, never what comes next."""

    async def ask(self, talk: Talk, given: Mapping[str, str]) -> Question:
        """Return what to show. ``given`` is what the request brought along that led here."""
        ...

    async def check(self, talk: Talk, answer: Mapping[str, str]) -> Proved:
        """Check an answer; raises the refusal."""
        ...


def identified(talk: Talk) -> dict[str, str]:
    """Return the user name as challenges show it to administrators (spec/api/04 §4)."""
    return {"USER_ID_FOR_SRP": talk.name} if isinstance(talk.call, AdminCall) else {}


def required(given: Mapping[str, str], name: str) -> str:
    """Return a parameter of a request; raises InvalidParameterException where it is missing."""
    value = given.get(name)
    if not value:
        raise InvalidParameterException(f"Missing required parameter {name}")
    return value
