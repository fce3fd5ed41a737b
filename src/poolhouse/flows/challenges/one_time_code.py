"""SMS_MFA, SMS_OTP and EMAIL_OTP: a code that is sent to one of the user's addresses (spec/api/04 §4).

Before a sign-in has shown anything, such a code shows who is there (spec/api/04 §5); after that it is a second factor.
The code is kept nowhere: its keyed digest travels under the seal of the ``Session``, so it lives as long as that, and
counts once, with it.
"""

import hmac
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from msgspec.structs import replace

from poolhouse.core import codes
from poolhouse.core.aliases import alias_key
from poolhouse.core.factors import with_contact
from poolhouse.core.limits import Guess
from poolhouse.core.messages import MessageKind
from poolhouse.core.replica_rules import check_challenge
from poolhouse.core.sign_in import Proof
from poolhouse.core.user import User
from poolhouse.flows import limits
from poolhouse.flows.beat import keep_beat
from poolhouse.flows.challenges.choice import find_facts
from poolhouse.flows.challenges.identity import check_admitted
from poolhouse.flows.challenges.talk import Proved, Question, Talk, identified, required
from poolhouse.flows.codes import drop_outdated_codes
from poolhouse.flows.messages import commit_and_send, send_code, simulate
from poolhouse.flows.sign_in_state import INVALID_SESSION
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import (
    ChallengeNameType,
    CodeDeliveryDetailsType,
    CodeMismatchException,
    InvalidParameterException,
    MFAMethodNotFoundException,
    NotAuthorizedException,
    UserStatusType,
)
from poolhouse.storage import Tx

MISMATCH = "Invalid code or auth state for the user."
_DIGEST_LENGTH = 32
Change = Callable[[User], User]


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """One of the three challenges. ``answers`` are the names that its code may come under, the first one preferred."""

    name: ChallengeNameType
    answers: tuple[str, ...]

    @property
    def attribute(self) -> str:
        """What of the user the code goes to."""
        return codes.MESSAGED[self.name]

    async def ask(self, talk: Talk, _: Mapping[str, str]) -> Question:
        """Send a code and say where to; users that the client conceals are sent none, and it looks the same.

        Raises the errors of ``send_code``; for a first factor those of ``check_admitted``, for a second one
        InvalidParameterException where there is nowhere to send it.
        """
        async with _paced(talk):
            return await self._ask(talk)

    async def _ask(self, talk: Talk) -> Question:
        user = await self._find_addressee(talk)
        if user is None and not _is_first(talk):
            raise InvalidParameterException(f"User does not have delivery config set to turn on {self.name}")
        if user is None:
            composed = simulate(talk.call, talk.pool, talk.name, self.attribute)
            details = await commit_and_send(talk.call, lambda _: None, composed)
            secret = talk.call.deps.random.bytes(_DIGEST_LENGTH)
        else:
            length = codes.FIRST_FACTOR_LENGTH if _is_first(talk) else codes.LENGTH
            code = codes.draw_code(talk.call.deps.random.text, length)
            details = await self._send(talk, user, code)
            secret = self._digest(talk, user, code)
        shown = {
            "CODE_DELIVERY_DELIVERY_MEDIUM": str(details.delivery_medium),
            "CODE_DELIVERY_DESTINATION": str(details.destination),
        }
        return Question(shown | identified(talk), secret)

    async def check(self, talk: Talk, answer: Mapping[str, str]) -> Proved:
        """Check a code: wrong ones lock this challenge, for the user, as wrong passwords do the password.

        Raises CodeMismatchException, NotAuthorizedException while locked, MFAMethodNotFoundException where the user lost
        the address meanwhile, and AliasExistsException where one that is set up is somebody else's alias.
        """
        async with _paced(talk):
            return await self._check(talk, answer)

    async def _check(self, talk: Talk, answer: Mapping[str, str]) -> Proved:
        code = next((answer[name] for name in self.answers if answer.get(name)), None)
        code = code or required(answer, self.answers[0])
        user, guess = await self._find_addressee(talk), _guess_of(talk)
        if user is None and not _is_first(talk):
            raise MFAMethodNotFoundException(f"The user has no {self.attribute} any more.")
        call, pool = talk.call, talk.pool
        await call.store.read(lambda tx: limits.check_not_locked(tx, call.now, pool, talk.name, guess))
        if user is None or not hmac.compare_digest(self._digest(talk, user, code), talk.secret):
            await call.store.write(lambda tx: limits.record_failure(tx, call.now, pool, talk.name, guess))
            raise CodeMismatchException(MISMATCH)
        return await self._prove(talk)

    async def _find_addressee(self, talk: Talk) -> User | None:
        """Return the user as the code finds them: an address that is being set up stands for that of the user.

        None stands for users without an address, and for those who cannot show who they are by a code.
        """
        user, address = talk.user, talk.progress.address
        if _is_first(talk):
            admitted = await check_admitted(talk, Guess.FIRST_CODE)
            user = user if admitted and user and user.status == UserStatusType.CONFIRMED else None
        elif user is not None and address is not None:
            return replace(user, attributes=user.attributes | {self.attribute: address, self._flag: "false"})
        return user if user is not None and user.attributes.get(self.attribute) else None

    async def _send(self, talk: Talk, user: User, code: str) -> CodeDeliveryDetailsType:
        return await send_code(
            talk.call,
            talk.pool,
            user,
            kind=MessageKind.AUTHENTICATION,
            attribute=self.attribute,
            code=code,
            client=talk.client,
            client_metadata=talk.client_metadata,
            by_stranger=_is_first(talk),
        )

    def _digest(self, talk: Talk, user: User, code: str) -> bytes:
        """Return what is kept of a code. It is void once the address, or what the user wants to be asked, has changed."""
        wanted = ",".join(user.factors.active)
        address = user.attributes[self.attribute]
        return talk.call.deps.sealer.digest("sign-in-code", talk.pool.id, user.sub, self.name, address, wanted, code)

    async def _prove(self, talk: Talk) -> Proved:
        user, call, pool, guess = talk.user, talk.call, talk.pool, _guess_of(talk)
        assert user is not None
        change = await self._find_change(talk, user)

        def keep(tx: Tx) -> None:
            # A lock that came meanwhile holds for this guess too.
            limits.check_not_locked(tx, call.now, pool, talk.name, guess)
            limits.reset(tx, pool, talk.name, guess)
            if change is not None:
                stored = get_user_again(tx, user)
                if (stored.factors, stored.attributes) != (user.factors, user.attributes):
                    raise NotAuthorizedException(INVALID_SESSION)
                drop_outdated_codes(tx, save_user(tx, pool, change(stored)))

        proof = Proof.IDENTITY if _is_first(talk) else Proof.SECOND_FACTOR
        return Proved(change(user) if change else user, talk.progress.having(proof), (keep,))

    async def _find_change(self, talk: Talk, user: User) -> Change | None:
        """Return what a right code makes of the user: its address is verified, and may be a new one with a new factor."""
        call, pool, address = talk.call, talk.pool, talk.progress.address
        if address is not None and not _is_first(talk):
            check_challenge(pool, ChallengeNameType.MFA_SETUP)
            if find_facts(talk).factors:
                # Somebody has set a factor up meanwhile: from then on that is what is to be shown, not another one.
                raise NotAuthorizedException(INVALID_SESSION)
            return lambda user: with_contact(user, self.name, address, call.now)
        # Through a replica no user is changed.
        if user.attributes.get(self._flag) == "true" or pool.seat is not None:
            return None
        key = alias_key(pool, self.attribute, user.attributes[self.attribute])
        owner = await call.store.read(lambda tx: tx.users.find_by_alias(pool.id, key))
        if owner is not None and self.attribute in pool.alias_attributes:
            return None  # Somebody else's verified alias: that is no reason not to let this user in.
        verified = {self._flag: "true"}
        return lambda user: replace(user, attributes=user.attributes | verified, modified_at=call.now)

    @property
    def _flag(self) -> str:
        return f"{self.attribute}_verified"


def _paced(talk: Talk) -> AbstractAsyncContextManager[None]:
    """Keep what strangers may ask from telling by its time whether there is such a user."""
    return keep_beat(talk.client) if _is_first(talk) else nullcontext()


def _is_first(talk: Talk) -> bool:
    return not talk.progress.is_identified


def _guess_of(talk: Talk) -> Guess:
    return Guess.FIRST_CODE if _is_first(talk) else Guess.CODE


sms_mfa = OneTimeCode(ChallengeNameType.SMS_MFA, ("SMS_MFA_CODE",))
sms_otp = OneTimeCode(ChallengeNameType.SMS_OTP, ("SMS_OTP_CODE",))
# spec/api/04 §1: the documentation has a second name for what the enumeration calls EMAIL_OTP.
email_otp = OneTimeCode(ChallengeNameType.EMAIL_OTP, ("EMAIL_OTP_CODE", "EMAIL_MFA_CODE"))
