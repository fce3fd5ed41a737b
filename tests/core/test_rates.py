"""The categories of operations and the arithmetic of a shared budget (spec/api/09 §1)."""

from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.rates import (
    CATEGORY_OF,
    FREE,
    MAXIMUM,
    SECOND,
    SHARES,
    Category,
    Use,
    find_use,
    grant,
    next_share,
)
from poolhouse.model import OPERATIONS, AuthFlowType

NOW = 1_700_000_000 * SECOND
RATES = st.integers(1, MAXIMUM)


def test_every_operation_has_a_category_but_those_of_the_limits():
    """The table of spec/api/12 is whole, and every category has its free limit."""
    assert set(OPERATIONS) - set(CATEGORY_OF) == {"GetProvisionedLimit", "UpdateProvisionedLimit"}
    assert set(CATEGORY_OF) <= set(OPERATIONS)
    assert set(FREE) == set(Category)


def test_refreshing_is_not_signing_in():
    """InitiateAuth counts by its flow (spec/api/09 §1), and answers to challenges are marked."""
    assert find_use("InitiateAuth", AuthFlowType.USER_SRP_AUTH) == Use(Category.USER_AUTHENTICATION)
    assert find_use("InitiateAuth", AuthFlowType.REFRESH_TOKEN_AUTH) == Use(Category.USER_TOKEN)
    assert find_use("AdminInitiateAuth", AuthFlowType.REFRESH_TOKEN) == Use(Category.USER_TOKEN)
    assert find_use("RespondToAuthChallenge", None) == Use(Category.USER_AUTHENTICATION, challenge=True)
    assert find_use("UpdateProvisionedLimit", None) is None


@given(rate=RATES, asked=st.lists(st.tuples(st.integers(0, SECOND), st.integers(1, 2000)), max_size=60))
def test_no_more_than_the_rate_and_a_second_ahead(rate, asked):
    """Over any time, a budget gives its rate and one second's worth more at the most."""
    now, spent, given_out = NOW, 0, 0
    for passed, wanted in asked:
        now += passed
        took = grant(spent, now, rate, wanted)
        spent, given_out = took.spent_until, given_out + took.requests
        assert 0 <= took.requests <= wanted
        # Rounding gives away less than a nanosecond each time.
        assert given_out <= (now - NOW + SECOND) * rate / SECOND + len(asked) * rate / SECOND + 1e-6


@given(rate=RATES)
def test_a_quiet_second_is_good_for_a_second(rate):
    """A full budget gives exactly its rate at once, then nothing until an interval has passed."""
    first = grant(0, NOW, rate, 10 * MAXIMUM)
    assert first.requests == rate
    assert grant(first.spent_until, NOW, rate, 1).requests == 0
    assert grant(first.spent_until, NOW + SECOND // rate + 1, rate, 1).requests == 1


def test_a_clock_that_was_set_back_bars_nobody():
    """A budget that is spent for longer than it could ever be counts as full."""
    assert grant(NOW + 3600 * SECOND, NOW, 5, 9).requests == 5
    assert grant(NOW + 2 * SECOND, NOW, 5, 9).requests == 0


@given(rate=RATES, share=st.integers(1, MAXIMUM), used=st.integers(0, MAXIMUM))
def test_shares_follow_what_is_used(rate, share, used):
    """A share is at least one request and at most a twentieth of the rate; an unused one shrinks, a used one grows."""
    size = next_share(rate, share, min(used, share))
    assert 1 <= size <= max(1, rate // SHARES)
    assert size <= 2 * share
    if used < share:
        assert size <= max(1, used)
