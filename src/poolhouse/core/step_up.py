"""Stepping up: what a sign-in has shown already counts towards a level that is wanted now (spec/http/04 §4.11)."""

from msgspec.structs import replace

from poolhouse.core.acr import Method, Methods, level_of
from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import Facts, Progress, Proof, facts_of, target_of
from poolhouse.core.user import User
from poolhouse.model import ChallengeNameType, ExplicitAuthFlowsType


def credit(facts: Facts, progress: Progress, methods: Methods) -> Progress:
    """Return a progress that begins with methods shown before, if those bring the level that it wants nearer.

    They count as identity where only a second factor is missing. Where the level is reached already they count for
    nothing: whoever asks for a sign-in all the same wants one. Nor does what another provider asked for.
    """
    if Method.FEDERATED in methods:
        return progress
    credited = replace(progress, methods=methods)
    level = target_of(facts, credited)
    if level <= level_of(methods):
        return progress
    known = credited.having(Proof.IDENTITY)
    return known if target_of(facts, known) == level else credited


def is_reached(pool: Pool, client: Client, user: User, methods: Methods, targets: tuple[int, ...]) -> bool:
    """Tell whether methods shown reach the first of the levels that this user can reach at all by this client's pages."""
    return target_of(_facts(pool, client, user), _progress(methods, targets)) <= level_of(methods)


def is_near(pool: Pool, client: Client, user: User, methods: Methods, targets: tuple[int, ...]) -> bool:
    """Tell whether nothing but a second factor is missing for that level."""
    progress = credit(_facts(pool, client, user), _progress(frozenset(), targets), methods)
    return Proof.IDENTITY in progress.proved


def _progress(methods: Methods, targets: tuple[int, ...]) -> Progress:
    return Progress(method=ChallengeNameType.PASSWORD, event_id="", methods=methods, targets=targets)


def _facts(pool: Pool, client: Client, user: User) -> Facts:
    facts = facts_of(pool, user)
    # Where the user does not choose, the sign-in begins with the password.
    return facts if ExplicitAuthFlowsType.ALLOW_USER_AUTH in client.flows else replace(facts, first_factors=())
