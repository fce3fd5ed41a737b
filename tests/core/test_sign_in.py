"""The sign-in machine: what is asked, in which order, and that nothing due is ever skipped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from poolhouse.core import custom_auth
from poolhouse.core.acr import Method, level_of
from poolhouse.core.client import Client
from poolhouse.core.custom_auth import Puzzle
from poolhouse.core.first_factors import PASSWORDLESS, PASSWORDS
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import (
    Facts,
    Progress,
    Proof,
    check_flow,
    factors_due,
    facts_of,
    first_factors_due,
    next_step,
    target_of,
)
from poolhouse.core.user import User
from poolhouse.model import AuthFlowType as Flow
from poolhouse.model import (
    ChallengeNameType as Challenge,
)
from poolhouse.model import (
    ExplicitAuthFlowsType,
    GetUserPoolMfaConfigResponse,
    InvalidParameterException,
    SmsMfaConfigType,
    UserPoolClientType,
    UserPoolMfaType,
    UserPoolType,
    UserStatusType,
)
from tests.core.examples import make_user

FACTORS = (Challenge.SMS_MFA, Challenge.SOFTWARE_TOKEN_MFA, Challenge.EMAIL_OTP)
FIRSTS = (*PASSWORDS, Challenge.EMAIL_OTP, Challenge.SMS_OTP, Challenge.WEB_AUTHN)
LEVELS = st.lists(st.integers(1, 4), unique=True).map(tuple)
BEGUN = Progress(method=Challenge.PASSWORD, event_id="event")
KNOWN = BEGUN.having(Proof.IDENTITY)
# What functions hear of, as spec/api/06 §6 lists it, and EMAIL_OTP and SOFTWARE_TOKEN_MFA as the guide does.
TOLD = {
    Challenge.CUSTOM_CHALLENGE,
    Challenge.PASSWORD_VERIFIER,
    Challenge.DEVICE_SRP_AUTH,
    Challenge.DEVICE_PASSWORD_VERIFIER,
    *FACTORS,
}
# What a right answer to each challenge shows.
SHOWN = {
    Challenge.PASSWORD: Proof.IDENTITY,
    Challenge.PASSWORD_VERIFIER: Proof.IDENTITY,
    **dict.fromkeys(PASSWORDLESS, Proof.IDENTITY),
    Challenge.NEW_PASSWORD_REQUIRED: Proof.NEW_PASSWORD,
    Challenge.DEVICE_SRP_AUTH: Proof.DEVICE_NAMED,
    Challenge.DEVICE_PASSWORD_VERIFIER: Proof.SECOND_FACTOR,
    Challenge.MFA_SETUP: Proof.SECOND_FACTOR,
    **dict.fromkeys(FACTORS, Proof.SECOND_FACTOR),
}


@st.composite
def all_facts(draw) -> Facts:
    factors = tuple(draw(st.lists(st.sampled_from(FACTORS), unique=True)))
    return Facts(
        first_factors=tuple(draw(st.lists(st.sampled_from(FIRSTS), unique=True, min_size=1))),
        must_replace_password=draw(st.booleans()),
        factor_required=draw(st.booleans()),
        factors=factors,
        preferred_factor=draw(st.sampled_from((None, *FACTORS))),
        trusted_device=draw(st.booleans()),
    )


def answer(
    challenge: Challenge,
    facts: Facts,
    progress: Progress,
    wish: Challenge = Challenge.SOFTWARE_TOKEN_MFA,
    choose: int = -1,
) -> Progress:
    """What is shown after a right answer; ``wish`` is the factor that the user prefers to choose and to set up.

    An app is set up before MFA_SETUP is answered, an address proves itself by the code that is asked for next.
    """
    if challenge == Challenge.SELECT_MFA_TYPE:
        factors = factors_due(facts, progress)
        return replace(progress, factor=wish if wish in factors else factors[-1])
    if challenge == Challenge.MFA_SETUP and wish != Challenge.SOFTWARE_TOKEN_MFA:
        return replace(progress, factor=wish, address="ann@example.org")
    if challenge == Challenge.SELECT_CHALLENGE:
        choices = first_factors_due(facts, progress)
        return replace(progress, method=choices[choose % len(choices)])
    if challenge == Challenge.PASSWORD_SRP:
        return replace(progress, method=Challenge.PASSWORD_VERIFIER)
    # EMAIL_OTP is both: it shows identity where nothing has.
    first = not progress.is_identified
    return progress.after(challenge, progress.having(Proof.IDENTITY if first else SHOWN[challenge]))


@given(all_facts(), st.sampled_from([Challenge.PASSWORD, Challenge.PASSWORD_VERIFIER]), st.sampled_from(FACTORS))
def test_right_answers_arrive_and_nothing_due_is_skipped(facts: Facts, method: Challenge, wish: Challenge):
    """Whatever is true, right answers end the sign-in within seven steps, and only after every due factor.

    A trusted device answers for any factor.
    """
    progress, asked = Progress(method=method, event_id="event"), []
    while (challenge := next_step(facts, progress)) is not None:
        asked.append(challenge)
        assert len(asked) <= 7
        progress = answer(challenge, facts, progress, wish)
    assert asked[0] == method
    assert facts.must_replace_password == (Challenge.NEW_PASSWORD_REQUIRED in asked)
    assert facts.trusted_device == (Challenge.DEVICE_PASSWORD_VERIFIER in asked)
    by_factor, set_up = bool(facts.factors) and not facts.trusted_device, Challenge.MFA_SETUP in asked
    assert set_up == (facts.factor_required and not facts.factors and not facts.trusted_device)
    assert set(FACTORS) & set(asked) <= {*facts.factors, wish}
    assert bool(set(FACTORS) & set(asked)) == (by_factor or (set_up and wish != Challenge.SOFTWARE_TOKEN_MFA))
    due = facts.factor_required or bool(facts.factors) or facts.trusted_device
    assert due == (Proof.SECOND_FACTOR in progress.proved)
    assert len(asked) == len(set(asked))


@given(all_facts(), LEVELS, st.integers(0, 4), st.sets(st.sampled_from(list(Method))))
def test_a_choice_arrives_and_reaches_what_can_be_reached(
    facts: Facts, targets: tuple[int, ...], choose: int, credit: set[Method]
):
    """Whatever is true and chosen, right answers end, with identity shown, all that is due, and the level promised.

    What needs no password is followed by a second factor only where the pool requires one.
    """
    begun = Progress(method=Challenge.SELECT_CHALLENGE, event_id="event", choosing=True, targets=targets)
    progress, asked = replace(begun, methods=frozenset(credit)), []
    promised = target_of(facts, progress)
    while (challenge := next_step(facts, progress)) is not None:
        asked.append(challenge)
        assert len(asked) <= 9
        progress = answer(challenge, facts, progress, choose=choose)
    assert asked[0] == Challenge.SELECT_CHALLENGE
    assert level_of(progress.methods) >= promised
    assert promised == next((level for level in targets if level <= promised), 0)
    assert Proof.NEW_PASSWORD in progress.proved or not facts.must_replace_password
    assert Proof.SECOND_FACTOR in progress.proved or not facts.factor_required
    if progress.method not in PASSWORDLESS:
        assert Proof.SECOND_FACTOR in progress.proved or not (facts.factors or facts.trusted_device)
    elif not facts.factor_required and not targets:
        assert asked[2:] in ([], [Challenge.NEW_PASSWORD_REQUIRED])


@given(all_facts(), LEVELS.filter(bool))
def test_a_step_up_asks_for_what_is_missing_only(facts: Facts, targets: tuple[int, ...]):
    """Who has shown a password already is asked for the one second factor that reaches the level, and for no other."""
    facts = replace(facts, must_replace_password=False, factor_required=False, trusted_device=True)
    begun = replace(KNOWN, method=Challenge.SELECT_CHALLENGE, choosing=True, targets=targets)
    begun = replace(begun, methods=frozenset({Method.PASSWORD}))
    wanted = target_of(facts, begun)
    progress, asked = begun, []
    while (challenge := next_step(facts, progress)) is not None:
        asked.append(challenge)
        progress = answer(challenge, facts, progress)
    assert level_of(progress.methods) >= wanted
    if wanted > 1:
        assert asked[-1] in facts.factors
        assert set(asked) <= {Challenge.SELECT_MFA_TYPE, asked[-1]}


@given(
    all_facts(),
    st.sets(st.sampled_from(list(Proof))),
    st.sampled_from((None, *FACTORS)),
    st.sampled_from((None, "ann@example.org")),
)
def test_done_means_everything_due_is_shown(
    facts: Facts, proved: set[Proof], factor: Challenge | None, address: str | None
):
    """From any progress at all, nothing is left to ask only where everything due was shown."""
    progress = replace(BEGUN, proved=frozenset(proved), factor=factor, address=address)
    if next_step(facts, progress) is None:
        assert Proof.IDENTITY in proved
        assert Proof.NEW_PASSWORD in proved or not facts.must_replace_password
        assert Proof.SECOND_FACTOR in proved or not (facts.factor_required or facts.factors or facts.trusted_device)


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        (Facts(), None),
        (Facts(must_replace_password=True, factors=(Challenge.SMS_MFA,)), Challenge.NEW_PASSWORD_REQUIRED),
        (Facts(factors=(Challenge.SMS_MFA,)), Challenge.SMS_MFA),
        (Facts(factors=FACTORS), Challenge.SELECT_MFA_TYPE),
        (Facts(factors=FACTORS, preferred_factor=Challenge.EMAIL_OTP), Challenge.EMAIL_OTP),
        (Facts(factors=FACTORS[:2], preferred_factor=Challenge.EMAIL_OTP), Challenge.SELECT_MFA_TYPE),
        (Facts(factor_required=True), Challenge.MFA_SETUP),
        (Facts(factor_required=True, factors=(Challenge.SMS_MFA,)), Challenge.SMS_MFA),
        (Facts(factors=FACTORS, trusted_device=True), Challenge.DEVICE_SRP_AUTH),
        (Facts(must_replace_password=True, trusted_device=True), Challenge.NEW_PASSWORD_REQUIRED),
    ],
)
def test_what_follows_a_right_password(facts: Facts, asked: Challenge | None):
    """After the password comes the new password, then the second factor, then its set-up."""
    assert next_step(facts, KNOWN) == asked


def test_a_chosen_factor_counts_only_while_the_user_has_it():
    """A factor chosen earlier is asked for only if it is still one of the user's."""
    chosen = replace(KNOWN, factor=Challenge.EMAIL_OTP)
    assert next_step(Facts(factors=FACTORS), chosen) == Challenge.EMAIL_OTP
    assert next_step(Facts(factors=FACTORS[:2]), chosen) == Challenge.SELECT_MFA_TYPE


def test_an_address_is_proved_only_while_the_user_has_no_factor():
    """Where an address is being set up its code is asked for; a factor that the user has by now comes first."""
    setting_up = replace(KNOWN, factor=Challenge.EMAIL_OTP, address="ann@example.org")
    assert next_step(Facts(factor_required=True), setting_up) == Challenge.EMAIL_OTP
    due = Facts(factor_required=True, factors=(Challenge.SOFTWARE_TOKEN_MFA,))
    assert next_step(due, setting_up) == Challenge.SOFTWARE_TOKEN_MFA
    assert next_step(Facts(), setting_up) is None


@given(all_facts(), st.data())
def test_functions_alone_let_in(facts: Facts, data):
    """Custom authentication ends in tokens by the word of its functions only, and a password asks for what it always asks.

    Whatever they want asked is asked before they are heard again; without a password nothing else is.
    """
    ann = make_user()
    progress, asked, released = Progress(method=Challenge.CUSTOM_CHALLENGE, event_id="event"), [], False
    for _ in range(12):
        if custom_auth.is_word_due(facts, progress):
            word = data.draw(st.sampled_from(["CUSTOM_CHALLENGE", "PASSWORD_VERIFIER", None]))
            released = word is None
            response = {"issueTokens": True} if released else {"challengeName": word}
            progress = custom_auth.obey(progress, response, ann)
        challenge = next_step(facts, progress)
        assert (challenge is None) == released
        if challenge is None:
            break
        asked.append(challenge)
        if challenge == Challenge.CUSTOM_CHALLENGE:
            progress = custom_auth.answered(progress, Puzzle({}, {}), right=data.draw(st.booleans()))
        elif challenge == Challenge.PASSWORD_VERIFIER:
            progress = custom_auth.passed(progress.having_password(), challenge)
        else:
            progress = custom_auth.passed(answer(challenge, facts, progress), challenge)
    others = set(asked) - {Challenge.CUSTOM_CHALLENGE, Challenge.PASSWORD_VERIFIER}
    assert not others or Challenge.PASSWORD_VERIFIER in asked
    if released and Challenge.PASSWORD_VERIFIER in asked:
        assert facts.must_replace_password == (Challenge.NEW_PASSWORD_REQUIRED in asked)
        due = facts.factor_required or bool(facts.factors) or facts.trusted_device
        assert due == (Proof.SECOND_FACTOR in progress.proved)
    told = [result.challenge for result in progress.results]
    assert told == [name for name in asked if name in TOLD]


def pool_with(mfa: UserPoolMfaType | None, *, sms: bool = False) -> Pool:
    block = SmsMfaConfigType() if sms else None
    return Pool(
        id="us-east-1_AbCdEfGhI",
        settings=UserPoolType(),
        mfa=GetUserPoolMfaConfigResponse(mfa_configuration=mfa, sms_mfa_configuration=block),
        device_group_key="-v7w9UcY6",
    )


def user_with(status: UserStatusType = UserStatusType.CONFIRMED, **attributes: str) -> User:
    return User(
        pool_id="us-east-1_AbCdEfGhI",
        sub="sub",
        username="ann",
        status=status,
        attributes=attributes,
        created_at=0,
        modified_at=0,
    )


def test_facts_of_a_user():
    """Temporary passwords are to be replaced; a required factor is the telephone where the pool sends messages."""
    phone = {"phone_number": "+15550100"}
    on = pool_with(UserPoolMfaType.ON, sms=True)
    nothing = Facts(first_factors=PASSWORDS)
    assert facts_of(pool_with(None), user_with()) == nothing
    assert facts_of(on, None) == Facts()
    assert facts_of(pool_with(UserPoolMfaType.OPTIONAL, sms=True), user_with(**phone)) == nothing
    assert facts_of(pool_with(None), user_with(UserStatusType.FORCE_CHANGE_PASSWORD)).must_replace_password
    assert facts_of(on, user_with(**phone)) == replace(nothing, factor_required=True, factors=(Challenge.SMS_MFA,))
    assert facts_of(on, user_with()) == replace(nothing, factor_required=True)
    assert facts_of(pool_with(UserPoolMfaType.ON), user_with(**phone)) == replace(nothing, factor_required=True)


def client_with(*flows: str) -> Client:
    named = [ExplicitAuthFlowsType(flow) for flow in flows]
    return Client(id="client", pool_id="us-east-1_AbCdEfGhI", settings=UserPoolClientType(explicit_auth_flows=named))


@pytest.mark.parametrize(
    ("flow", "admin", "text"),
    [
        (Flow.USER_PASSWORD_AUTH, False, "USER_PASSWORD_AUTH flow not enabled for this client"),
        (Flow.USER_SRP_AUTH, False, "USER_SRP_AUTH is not enabled for the client."),
        (Flow.USER_SRP_AUTH, True, "USER_SRP_AUTH is not enabled for the client."),
        (Flow.CUSTOM_AUTH, False, "CUSTOM_AUTH is not enabled for the client."),
        (Flow.USER_AUTH, False, "USER_AUTH is not enabled for the client."),
        (Flow.ADMIN_NO_SRP_AUTH, True, "Auth flow not enabled for this client"),
        (Flow.ADMIN_USER_PASSWORD_AUTH, True, "Auth flow not enabled for this client"),
        (Flow.REFRESH_TOKEN_AUTH, False, "Auth flow not enabled for this client"),
        (Flow.REFRESH_TOKEN, True, "Auth flow not enabled for this client"),
        (Flow.ADMIN_NO_SRP_AUTH, False, "Initiate Auth method not supported."),
        (Flow.ADMIN_USER_PASSWORD_AUTH, False, "Initiate Auth method not supported."),
        (Flow.USER_PASSWORD_AUTH, True, "Initiate Auth method not supported."),
    ],
)
def test_flows_that_a_client_may_not_use(flow: Flow, admin: bool, text: str):
    """A flow that the client lacks, or that belongs to the other door, is refused in Cognito's words."""
    with pytest.raises(InvalidParameterException) as refused:
        check_flow(client_with("ALLOW_TOKEN_EXCHANGE_DELEGATION"), flow, admin=admin)
    assert refused.value.message == text


def test_flows_that_a_client_may_use():
    """The old and the new names of a flow open the same door."""
    for names in (["ADMIN_NO_SRP_AUTH"], ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]):
        check_flow(client_with(*names), Flow.ADMIN_NO_SRP_AUTH, admin=True)
        check_flow(client_with(*names), Flow.ADMIN_USER_PASSWORD_AUTH, admin=True)
    check_flow(client_with("ALLOW_REFRESH_TOKEN_AUTH"), Flow.REFRESH_TOKEN, admin=False)
