"""What a pool with threat protection remembers of sign-ins and their like (spec/api/07 §1, §5). Times are milliseconds."""

from msgspec import Struct

from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import Progress, Proof
from poolhouse.model import (
    AdvancedSecurityEnabledModeType,
    AdvancedSecurityModeType,
    AuthEventType,
    ChallengeName,
    ChallengeNameType,
    ChallengeResponse,
    ChallengeResponseType,
    EventContextDataType,
    EventFeedbackType,
    EventResponseType,
    EventRiskType,
    EventType,
    FeedbackValueType,
    RiskDecisionType,
)

RETENTION = 2 * 365 * 86_400_000
_PASSWORDS = frozenset(
    {ChallengeNameType.PASSWORD, ChallengeNameType.PASSWORD_VERIFIER, ChallengeNameType.PASSWORD_SRP}
)
_FACTORS = frozenset({ChallengeNameType.SMS_MFA, ChallengeNameType.SOFTWARE_TOKEN_MFA, ChallengeNameType.EMAIL_OTP})

Shown = tuple[tuple[ChallengeName, ChallengeResponse], ...]


class Feedback(Struct, frozen=True, kw_only=True):
    """Whether somebody who should know says that it was the user; ``provider`` is ``Admin`` or ``User``."""

    value: FeedbackValueType
    provider: str
    at: int


class AuthEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sign-in or its like, from its first step that wrote something to its end.

    ``id`` is the ``event_id`` claim of the tokens that came of it. ``address``, ``device`` and ``timezone`` are empty
    where nothing is known.
    """

    id: str
    pool_id: str
    user_id: int
    at: int
    type: EventType
    response: EventResponseType
    decision: RiskDecisionType = RiskDecisionType.NoRisk
    challenges: Shown = ()
    client_id: str = ""
    request_id: str = ""
    address: str = ""
    device: str = ""
    timezone: str = ""
    feedback: Feedback | None = None


def is_kept(pool: Pool) -> bool:
    """Whether a pool's events are recorded."""
    return _mode(pool) is not AdvancedSecurityModeType.OFF


def is_enforced(pool: Pool, method: ChallengeNameType) -> bool:
    """Whether decisions have effects on sign-ins by a method; custom authentication has a switch of its own."""
    add_ons = pool.settings.user_pool_add_ons
    if method is ChallengeNameType.CUSTOM_CHALLENGE:
        flows = add_ons.advanced_security_additional_flows if add_ons else None
        return (
            is_kept(pool) and flows is not None and flows.custom_auth_mode is AdvancedSecurityEnabledModeType.ENFORCED
        )
    return _mode(pool) is AdvancedSecurityModeType.ENFORCED


def shown_by(progress: Progress, failed: ChallengeNameType | None = None) -> Shown:
    """Return what a sign-in has shown so far, as far as there are words for it, and the challenge that it failed."""
    shown: list[tuple[ChallengeName, ChallengeResponse]] = []
    known = progress.is_identified
    if Proof.PASSWORD in progress.proved or (known and progress.method in _PASSWORDS):
        shown.append((ChallengeName.Password, ChallengeResponse.Success))
    if Proof.SECOND_FACTOR in progress.proved:
        shown.append((ChallengeName.Mfa, ChallengeResponse.Success))
    if failed in _PASSWORDS:
        shown.append((ChallengeName.Password, ChallengeResponse.Failure))
    elif failed in _FACTORS and known:
        shown.append((ChallengeName.Mfa, ChallengeResponse.Failure))
    return tuple(shown)


def describe(event: AuthEvent) -> AuthEventType:
    """Return an event as AdminListUserAuthEvents shows it."""
    return AuthEventType(
        event_id=event.id,
        event_type=event.type,
        creation_date=event.at / 1000,
        event_response=event.response,
        event_risk=EventRiskType(risk_decision=event.decision),
        challenge_responses=[
            ChallengeResponseType(challenge_name=name, challenge_response=outcome) for name, outcome in event.challenges
        ],
        event_context_data=EventContextDataType(
            ip_address=event.address or None, device_name=event.device or None, timezone=event.timezone or None
        ),
        event_feedback=None if event.feedback is None else _feedback(event.feedback),
    )


def _feedback(feedback: Feedback) -> EventFeedbackType:
    return EventFeedbackType(
        feedback_value=feedback.value, provider=feedback.provider, feedback_date=feedback.at / 1000
    )


def _mode(pool: Pool) -> AdvancedSecurityModeType:
    add_ons = pool.settings.user_pool_add_ons
    return add_ons.advanced_security_mode if add_ons else AdvancedSecurityModeType.OFF
