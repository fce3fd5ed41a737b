"""Signing in as a machine: what is true, what is proved, and what to ask next (docs/decisions/0006-sign-in-as-rules.md).

Every way to sign in is this machine seen through another door. A rule looks at the facts and at the progress
and may ask a challenge; the first rule that asks wins; when none does, the user is signed in.
Nothing else in the program knows the order.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.acr import METHOD_OF, Methods, level_of
from poolhouse.core.client import Client
from poolhouse.core.codes import MESSAGED
from poolhouse.core.devices import Device, is_second_factor
from poolhouse.core.factors import FACTORS, due_factors
from poolhouse.core.first_factors import PASSWORDLESS, available_to
from poolhouse.core.pool import Pool
from poolhouse.core.risk_levels import Assessment
from poolhouse.core.user import User
from poolhouse.model import AuthFlowType as Flow
from poolhouse.model import ChallengeNameType as Challenge
from poolhouse.model import ExplicitAuthFlowsType, InvalidParameterException, UserPoolMfaType, UserStatusType

ADMIN_PASSWORD_FLOWS = frozenset({Flow.ADMIN_USER_PASSWORD_AUTH, Flow.ADMIN_NO_SRP_AUTH})
REFRESH_FLOWS = frozenset({Flow.REFRESH_TOKEN_AUTH, Flow.REFRESH_TOKEN})
# How each flow begins to prove who is there.
METHODS = {
    Flow.USER_PASSWORD_AUTH: Challenge.PASSWORD,
    Flow.ADMIN_USER_PASSWORD_AUTH: Challenge.PASSWORD,
    Flow.ADMIN_NO_SRP_AUTH: Challenge.PASSWORD,
    Flow.USER_SRP_AUTH: Challenge.PASSWORD_VERIFIER,
    Flow.CUSTOM_AUTH: Challenge.CUSTOM_CHALLENGE,
    Flow.USER_AUTH: Challenge.SELECT_CHALLENGE,
}
# What a client must be allowed for a flow, and the refusal otherwise (spec/api/04 §2).
NEEDED_FLOWS = {
    Flow.USER_PASSWORD_AUTH: (
        ExplicitAuthFlowsType.ALLOW_USER_PASSWORD_AUTH,
        "USER_PASSWORD_AUTH flow not enabled for this client",
    ),
    Flow.USER_SRP_AUTH: (
        ExplicitAuthFlowsType.ALLOW_USER_SRP_AUTH,
        "USER_SRP_AUTH is not enabled for the client.",
    ),
    Flow.CUSTOM_AUTH: (ExplicitAuthFlowsType.ALLOW_CUSTOM_AUTH, "CUSTOM_AUTH is not enabled for the client."),
    Flow.USER_AUTH: (ExplicitAuthFlowsType.ALLOW_USER_AUTH, "USER_AUTH is not enabled for the client."),
    **dict.fromkeys(
        ADMIN_PASSWORD_FLOWS,
        (ExplicitAuthFlowsType.ALLOW_ADMIN_USER_PASSWORD_AUTH, "Auth flow not enabled for this client"),
    ),
    **dict.fromkeys(
        REFRESH_FLOWS,
        (ExplicitAuthFlowsType.ALLOW_REFRESH_TOKEN_AUTH, "Auth flow not enabled for this client"),
    ),
}


class Proof(StrEnum):
    """Something that a sign-in has shown to be so."""

    IDENTITY = "identity"
    # In custom authentication, whose functions say whether that is enough.
    PASSWORD = "password"
    NEW_PASSWORD = "new_password"
    SECOND_FACTOR = "second_factor"
    DEVICE_NAMED = "device_named"
    DEVICE = "device"


class Facts(Struct, frozen=True, kw_only=True):
    """What is true of pool, client and user now.

    ``first_factors`` are the challenges that the user can choose to begin with.
    ``factors`` are the second factors that the user can be asked for, ``preferred_factor`` is one of them.
    ``trusted_device`` says that the device which the sign-in names may stand for them.
    """

    first_factors: tuple[Challenge, ...] = ()
    must_replace_password: bool = False
    factor_required: bool = False
    factors: tuple[Challenge, ...] = ()
    preferred_factor: Challenge | None = None
    trusted_device: bool = False


class Result(Struct, frozen=True, array_like=True):
    """What came of a challenge, as the functions of custom authentication hear of it."""

    challenge: str
    right: bool
    metadata: str | None = None


class Progress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has been shown so far, sealed between the steps.

    ``method`` is the challenge by which identity is shown; ``choosing`` says that the user chooses it (USER_AUTH).
    ``factor`` is the second factor that the user chose; ``address`` is what that one is being set up with,
    where the user has none. ``device_key`` is the device that the client says it is.
    ``methods`` are those that were shown, now or by the access token that a step-up began with; ``targets`` are the
    levels to reach if possible, the most wanted first (spec/api/10 §9).
    In custom authentication ``results`` is what the functions hear, oldest first, and ``wanted`` is what they want
    asked now, None while they still have to say.
    ``assessment`` is what threat protection made of the sign-in, None before it has looked.
    """

    method: Challenge
    event_id: str
    proved: frozenset[Proof] = frozenset()
    factor: Challenge | None = None
    address: str | None = None
    device_key: str | None = None
    choosing: bool = False
    methods: Methods = frozenset()
    targets: tuple[int, ...] = ()
    results: tuple[Result, ...] = ()
    wanted: Challenge | None = None
    assessment: Assessment | None = None

    @property
    def is_led(self) -> bool:
        """Whether functions lead the sign-in: custom authentication."""
        return self.method is Challenge.CUSTOM_CHALLENGE

    @property
    def is_choice_open(self) -> bool:
        """Whether the user may still choose how to show who they are."""
        return self.choosing and Proof.IDENTITY not in self.proved

    @property
    def is_identified(self) -> bool:
        """Whether it is shown who is there, in custom authentication by the password or by the word of the functions."""
        return not self.proved.isdisjoint({Proof.IDENTITY, Proof.PASSWORD})

    @property
    def is_device_relevant(self) -> bool:
        """Whether devices count by now: identity is shown, in custom authentication with the password."""
        return (Proof.PASSWORD if self.is_led else Proof.IDENTITY) in self.proved

    @property
    def is_risky(self) -> bool:
        """Whether threat protection wants a second factor that the user has by now."""
        return self.assessment is not None and self.assessment.factor_due

    def having(self, *proofs: Proof) -> "Progress":
        """Return the progress with more things shown."""
        return replace(self, proved=self.proved.union(proofs))

    def having_password(self) -> "Progress":
        """Return the progress after a right password."""
        return self.having(Proof.PASSWORD if self.is_led else Proof.IDENTITY)

    def after(self, challenge: Challenge, answered: "Progress") -> "Progress":
        """Return what a right answer to a challenge made of this progress, with the method that it was shown by."""
        proved = answered.proved != self.proved or challenge in FACTORS
        if not proved or challenge not in METHOD_OF or answered.methods != self.methods:
            return answered
        return replace(answered, methods=answered.methods | {METHOD_OF[challenge]})


Rule = Callable[[Facts, Progress], Challenge | None]


def prove_identity(_: Facts, progress: Progress) -> Challenge | None:
    """Ask who is there, in the way that the flow began with."""
    return None if Proof.IDENTITY in progress.proved or progress.is_led else progress.method


def replace_password(facts: Facts, progress: Progress) -> Challenge | None:
    """Ask for a password of the user's own in place of a temporary one."""
    due = facts.must_replace_password and Proof.NEW_PASSWORD not in progress.proved
    return Challenge.NEW_PASSWORD_REQUIRED if due else None


def prove_device(facts: Facts, progress: Progress) -> Challenge | None:
    """Have a remembered device prove its secret, in two steps, in place of a second factor (spec/api/04 §8)."""
    if not facts.trusted_device or not is_second_factor_due(facts, progress) or is_level_due(facts, progress):
        return None
    named = Proof.DEVICE_NAMED in progress.proved
    return Challenge.DEVICE_PASSWORD_VERIFIER if named else Challenge.DEVICE_SRP_AUTH


def prove_second_factor(facts: Facts, progress: Progress) -> Challenge | None:
    """Ask for a second factor: the chosen one, the preferred one, the only one, or which one (spec/api/04 §9)."""
    factors = factors_due(facts, progress)
    if not factors or not is_second_factor_due(facts, progress):
        return None
    for factor in (progress.factor, facts.preferred_factor):
        if factor in factors:
            return factor
    return factors[0] if len(factors) == 1 else Challenge.SELECT_MFA_TYPE


def enrol_second_factor(facts: Facts, progress: Progress) -> Challenge | None:
    """Have a user without any second factor set one up where the pool requires it, and prove the address of it."""
    due = facts.factor_required and Proof.SECOND_FACTOR not in progress.proved
    if not due or facts.factors:
        return None
    return progress.factor if progress.factor in MESSAGED and progress.address else Challenge.MFA_SETUP


def is_second_factor_due(facts: Facts, progress: Progress) -> bool:
    """Whether a second factor is still to be shown: what needs no password satisfies a pool that does not require it."""
    if Proof.SECOND_FACTOR in progress.proved:
        return is_level_due(facts, progress)
    if facts.factor_required or is_level_due(facts, progress):
        return True
    return bool(facts.factors or facts.trusted_device) and progress.method not in PASSWORDLESS


def factors_due(facts: Facts, progress: Progress) -> tuple[Challenge, ...]:
    """Return the second factors to choose from: those that reach the level which is wanted, where one is."""
    level = target_of(facts, progress)
    if level <= level_of(progress.methods):
        return facts.factors
    return tuple(factor for factor in facts.factors if level_of(progress.methods | {METHOD_OF[factor]}) >= level)


def first_factors_due(facts: Facts, progress: Progress) -> tuple[Challenge, ...]:
    """Return the challenges to begin with: those that lead to the level which is wanted, where one is."""
    level = target_of(facts, progress)
    return tuple(first for first in facts.first_factors if _reach(facts, progress.methods, first) >= level)


def is_level_due(facts: Facts, progress: Progress) -> bool:
    """Whether identity is shown and the level that is wanted not reached yet."""
    return Proof.IDENTITY in progress.proved and target_of(facts, progress) > level_of(progress.methods)


def target_of(facts: Facts, progress: Progress) -> int:
    """Return the level to reach: the first of those wanted that the user can reach from here; 0 for none."""
    if not progress.targets:
        return 0
    if Proof.IDENTITY in progress.proved:
        reach = _reach(facts, progress.methods)
    else:
        firsts = facts.first_factors or (progress.method,)
        reach = max(_reach(facts, progress.methods, first) for first in firsts)
    return next((level for level in progress.targets if level <= reach), 0)


def _reach(facts: Facts, methods: Methods, first: Challenge | None = None) -> int:
    """Return the highest level that methods lead to, with a first factor and any second one that may follow it."""
    if first is not None:
        methods |= {METHOD_OF[first]} if first in METHOD_OF else set()
    followed = first is None or first not in PASSWORDLESS
    seconds = [level_of(methods | {METHOD_OF[factor]}) for factor in facts.factors] if followed else []
    return max(level_of(methods), *seconds, 0)


def follow_functions(_: Facts, progress: Progress) -> Challenge | None:
    """Ask what the functions of custom authentication want asked, until they say that it is enough."""
    if Proof.IDENTITY in progress.proved or not progress.is_led:
        return None
    return progress.wanted or Challenge.CUSTOM_CHALLENGE


RULES: tuple[Rule, ...] = (
    prove_identity,
    replace_password,
    prove_device,
    prove_second_factor,
    enrol_second_factor,
    follow_functions,
)


def next_step(facts: Facts, progress: Progress) -> Challenge | None:
    """Return the challenge to ask next, None when the user is signed in.

    In custom authentication a new password, devices and second factors come after the password, where the functions
    want one at all (spec/api/06 §6); what risk asks comes after their last word, too.
    """
    spared = progress.is_led and Proof.PASSWORD not in progress.proved and not progress.is_risky
    due = Facts() if spared else facts
    asked = (rule(due, progress) for rule in RULES)
    return next((challenge for challenge in asked if challenge is not None), None)


def facts_of(pool: Pool, user: User | None, device: Device | None = None) -> Facts:
    """Return the facts of a user and its device; of no user, where that is concealed, there are none."""
    if user is None:
        return Facts()
    factors = due_factors(pool, user)
    return Facts(
        first_factors=available_to(pool, user),
        must_replace_password=user.status == UserStatusType.FORCE_CHANGE_PASSWORD,
        factor_required=pool.mfa.mfa_configuration == UserPoolMfaType.ON,
        factors=factors,
        preferred_factor=user.factors.preferred if user.factors.preferred in factors else None,
        trusted_device=is_second_factor(pool, device),
    )


def check_flow(client: Client, flow: Flow, *, admin: bool) -> None:
    """Check that a flow may be started at this door by this client; raises InvalidParameterException."""
    if (flow in ADMIN_PASSWORD_FLOWS and not admin) or (flow == Flow.USER_PASSWORD_AUTH and admin):
        raise InvalidParameterException("Initiate Auth method not supported.")
    needed, refusal = NEEDED_FLOWS[flow]
    if needed not in client.flows:
        raise InvalidParameterException(refusal)
