"""How many messages may leave for a user, to an address, or for a pool. Times are milliseconds.

Differs from Cognito (limits on messages): Cognito's default sender takes 50 mails a day for an account. Here there
is no limit for a pool or an address unless POOLHOUSE_MESSAGE_LIMITS sets one. A user gets at most 30 authentication
codes an hour, 30 more that anybody asks for by the name alone, and 10 that changes of attributes send.
"""

import re
from enum import StrEnum

from msgspec import Struct

from poolhouse.core.limits import HOUR
from poolhouse.core.messages import MessageKind
from poolhouse.model import DeliveryMediumType

DAY = 24 * HOUR
_TEXT = re.compile(r"(sms|email)-(destination|pool)\s*=\s*([1-9][0-9]{0,8})\s*/\s*(hour|day)", re.ASCII)
_WINDOWS = {"hour": HOUR, "day": DAY}


class Scope(StrEnum):
    """What messages are counted together: those for a user, to an address of a pool's users, or of a whole pool."""

    USER = "user"
    DESTINATION = "destination"
    POOL = "pool"


class MessageLimit(Struct, frozen=True, kw_only=True):
    """So many messages in a window, which begins with the first. None stands for every channel, or every kind."""

    scope: Scope
    most: int
    window: int
    channel: DeliveryMediumType | None = None
    kind: MessageKind | None = None

    @property
    def name(self) -> str:
        """What tells it from other limits on the same messages."""
        return f"{self.scope}:{self.channel or self.kind or ''}:{self.window}"

    def is_about(self, kind: MessageKind | None, channel: DeliveryMediumType) -> bool:
        """Whether a message counts; one about a risky sign-in is of no kind."""
        return self.channel in {None, channel} and self.kind in {None, kind}

    @property
    def is_mail_of_pool(self) -> bool:
        """Whether it is about all mail of a pool."""
        return self.scope is Scope.POOL and self.channel is DeliveryMediumType.EMAIL


# What a user who has the password, or anybody who has the name, can have sent without end by signing in, and what a
# signed-in user can by changing an address. The other kinds have Cognito's own limits (core.limits).
ALWAYS = (
    MessageLimit(scope=Scope.USER, kind=MessageKind.AUTHENTICATION, most=30, window=HOUR),
    MessageLimit(scope=Scope.USER, kind=MessageKind.UPDATE_USER_ATTRIBUTE, most=10, window=HOUR),
)
# The operations that send these answer LimitExceededException: the API reference says so of all but AdminCreateUser,
# which was seen to.
TOLD = frozenset(
    {
        MessageKind.SIGN_UP,
        MessageKind.RESEND_CODE,
        MessageKind.FORGOT_PASSWORD,
        MessageKind.VERIFY_USER_ATTRIBUTE,
        MessageKind.ADMIN_CREATE_USER,
    }
)
# What they say of mail that is too many for a pool (spec/api/11 §3).
MAIL_EXCEEDED = (
    "Exceeded daily email limit for the operation or the account. If a higher limit is required, please configure your"
    " user pool to use your own Amazon SES configuration for sending email."
)


def read_limit(text: str) -> MessageLimit:
    """Read ``sms-destination=5/hour``, ``email-pool=1000/day``; raises ValueError."""
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            "it takes sms- or email-, destination or pool, as in sms-destination=5/hour, sms-pool=1000/day"
        )
    channel, scope, most, window = found.groups()
    return MessageLimit(
        scope=Scope(scope), most=int(most), window=_WINDOWS[window], channel=DeliveryMediumType(channel.upper())
    )
