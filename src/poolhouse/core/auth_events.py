"""What a pool with threat protection remembers of sign-ins and their like (spec/api/07 §1, §5). Times are milliseconds."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from poolhouse.core.places import Place
from poolhouse.core.pool import Pool
from poolhouse.core.risk_levels import NOTHING_FOUND, Assessment, Sighting
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

    ``id`` is the ``event_id`` claim of the tokens that came of it. ``provider`` is the identity provider that the user
    came from, empty for the pool itself. ``address`` and all that follow are empty where nothing is known.
    """

    id: str
    pool_id: str
    user_id: int
    at: int
    type: EventType
    response: EventResponseType
    assessment: Assessment = NOTHING_FOUND
    challenges: Shown = ()
    client_id: str = ""
    request_id: str = ""
    provider: str = ""
    address: str = ""
    device: str = ""
    timezone: str = ""
    city: str = ""
    country: str = ""
    feedback: Feedback | None = None


def is_kept(pool: Pool) -> bool:
    """Whether a pool's events are recorded."""
    return _mode(pool) is not AdvancedSecurityModeType.OFF


def is_assessed(pool: Pool, method: ChallengeNameType) -> bool:
    """Whether the risk of sign-ins by a method is assessed; custom authentication has a switch of its own."""
    return is_kept(pool) and (method is not ChallengeNameType.CUSTOM_CHALLENGE or _custom_mode(pool) is not None)


def is_enforced(pool: Pool, method: ChallengeNameType) -> bool:
    """Whether decisions have effects on sign-ins by a method."""
    if method is ChallengeNameType.CUSTOM_CHALLENGE:
        return is_kept(pool) and _custom_mode(pool) is AdvancedSecurityEnabledModeType.ENFORCED
    return are_passwords_barred(pool)


def are_passwords_barred(pool: Pool) -> bool:
    """Whether decisions have effects where users set passwords."""
    return _mode(pool) is AdvancedSecurityModeType.ENFORCED


def known_sightings(events: Iterable[AuthEvent], find_place: Callable[[str], Place]) -> list[Sighting]:
    """Return where and on what a user was beyond doubt, newest first.

    That is what passed, unless somebody says that it was not the user; and what failed, where they say that it was.
    Sending a code again passes for anybody who knows a name.
    """
    return [
        Sighting(at=event.at, address=event.address, device=event.device, place=find_place(event.address))
        for event in events
        if event.type is not EventType.ResendCode and _is_beyond_doubt(event)
    ]


def _is_beyond_doubt(event: AuthEvent) -> bool:
    if event.feedback is not None:
        return event.feedback.value is FeedbackValueType.Valid
    return event.response is EventResponseType.Pass


def failures_before(events: Iterable[AuthEvent], now: int, within: int) -> int:
    """Return how many wrong passwords came since a user last signed in, of ``events`` newest first.

    Those of the last ``within`` milliseconds count.
    """
    failures = 0
    for event in events:
        if event.type is not EventType.SignIn:
            continue
        if event.at <= now - within or event.response is EventResponseType.Pass:
            break
        failures += (ChallengeName.Password, ChallengeResponse.Failure) in event.challenges
    return failures


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


def _risk(assessment: Assessment) -> EventRiskType:
    return EventRiskType(
        risk_decision=assessment.decision,
        risk_level=assessment.level,
        compromised_credentials_detected=assessment.compromised,
    )


def describe(event: AuthEvent) -> AuthEventType:
    """Return an event as AdminListUserAuthEvents shows it."""
    return AuthEventType(
        event_id=event.id,
        event_type=event.type,
        creation_date=event.at / 1000,
        event_response=event.response,
        event_risk=_risk(event.assessment),
        challenge_responses=[
            ChallengeResponseType(challenge_name=name, challenge_response=outcome) for name, outcome in event.challenges
        ],
        event_context_data=EventContextDataType(
            ip_address=event.address or None,
            device_name=event.device or None,
            timezone=event.timezone or None,
            city=event.city or None,
            country=event.country or None,
        ),
        event_feedback=None if event.feedback is None else _feedback(event.feedback),
    )


def _feedback(feedback: Feedback) -> EventFeedbackType:
    return EventFeedbackType(
        feedback_value=feedback.value, provider=feedback.provider, feedback_date=feedback.at / 1000
    )


def _custom_mode(pool: Pool) -> AdvancedSecurityEnabledModeType | None:
    add_ons = pool.settings.user_pool_add_ons
    flows = add_ons.advanced_security_additional_flows if add_ons else None
    return flows.custom_auth_mode if flows else None


def _mode(pool: Pool) -> AdvancedSecurityModeType:
    add_ons = pool.settings.user_pool_add_ons
    return add_ons.advanced_security_mode if add_ons else AdvancedSecurityModeType.OFF
