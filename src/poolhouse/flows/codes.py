"""Making and checking confirmation codes. Only a keyed digest of a code is stored."""

from msgspec import Struct

from poolhouse.core import codes
from poolhouse.core.codes import CodePurpose
from poolhouse.core.pool import Pool
from poolhouse.core.session import ConfirmationCode
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.model import CodeMismatchException, ExpiredCodeException
from poolhouse.storage import Tx


class FreshCode(Struct, frozen=True):
    """A code that was just drawn: ``text`` is to be sent, ``stored`` to be kept."""

    text: str
    stored: ConfirmationCode


def make_code(call: Call, pool: Pool, sub: str, purpose: CodePurpose, attribute: str, destination: str) -> FreshCode:
    """Return a new code for a user, bound to the attribute's value that it is sent to."""
    text = codes.draw_code(call.deps.random.text)
    stored = ConfirmationCode(
        purpose=purpose,
        digest=_digest(call, pool, sub, purpose, text),
        attribute=attribute,
        destination=destination,
        expires_at=call.now + codes.LIFETIMES[purpose],
    )
    return FreshCode(text, stored)


def find_refusal(
    call: Call, pool: Pool, user: User, stored: ConfirmationCode | None, purpose: CodePurpose, given: str
) -> CodeMismatchException | ExpiredCodeException | None:
    """Return why a given code is refused, None where it is right; in constant time."""
    return codes.find_refusal(stored, _digest(call, pool, user.sub, purpose, given), call.now)


def drop_codes(tx: Tx, user: User, *purposes: CodePurpose) -> None:
    """Void codes."""
    for purpose in purposes:
        tx.confirmation_codes.delete(user.id, purpose)


def drop_outdated_codes(tx: Tx, user: User) -> None:
    """Void a recovery code that went to an address which is no verified one of the user's any more."""
    stored = tx.confirmation_codes.find(user.id, CodePurpose.RECOVER)
    if stored is None:
        return
    flag = user.attributes.get(f"{stored.attribute}_verified")
    if flag != "true" or user.attributes.get(stored.attribute) != stored.destination:
        drop_codes(tx, user, CodePurpose.RECOVER)


def _digest(call: Call, pool: Pool, sub: str, purpose: CodePurpose, text: str) -> bytes:
    return call.deps.sealer.digest("confirmation-code", pool.id, sub, purpose, text)
