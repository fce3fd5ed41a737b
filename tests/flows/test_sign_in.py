"""Playbooks: conversations with the sign-in machine, and what they leave behind."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from poolhouse.api.operations import auth
from poolhouse.core.user import Factors
from poolhouse.crypto import totp
from poolhouse.crypto.passwords import PasswordHasher
from poolhouse.flows import enrolment, limits, sign_in
from poolhouse.flows.challenges import CHALLENGES
from poolhouse.flows.sign_in_loop import SignedIn
from poolhouse.flows.sign_in_tokens import finish_with_tokens
from poolhouse.flows.software_tokens import seal_token
from poolhouse.model import (
    AuthFlowType,
    ChallengeNameType,
    DeviceConfigurationType,
    GetUserPoolMfaConfigResponse,
    InitiateAuthRequest,
    LambdaConfigType,
    NotAuthorizedException,
    PasswordPolicyType,
    RespondToAuthChallengeRequest,
    SchemaAttributeType,
    SmsMfaConfigType,
    SoftwareTokenMfaConfigType,
    UserPoolMfaType,
    UserPoolPolicyType,
    UserStatusType,
)
from tests.authenticator import one_time_code
from tests.flows.stage import (
    BETTER,
    GOOD,
    Stage,
    admin_initiate,
    admin_respond,
    challenge,
    claims,
    error,
    initiate,
    play,
    respond,
    tokens,
    wait,
)

PASSWORD_FLOW = "USER_PASSWORD_AUTH"
WRONG = error("NotAuthorizedException", "Incorrect username or password.")
LOCKED = error("NotAuthorizedException", "Password attempts exceeded")
FORCED = UserStatusType.FORCE_CHANGE_PASSWORD
LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:f"


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


def test_a_right_password(stage: Stage):
    """A right password gives tokens, by every door that takes one."""
    stage.user()
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << tokens()
    play(stage) >> admin_initiate("ADMIN_USER_PASSWORD_AUTH", PASSWORD=GOOD) << tokens()
    play(stage) >> admin_initiate("ADMIN_NO_SRP_AUTH", PASSWORD=GOOD) << tokens()


def test_a_wrong_password(stage: Stage):
    """A wrong password is refused by every door, and so is a user without any."""
    stage.user()
    stage.user("ben", password=None)
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=BETTER) << WRONG
    play(stage) >> admin_initiate("ADMIN_NO_SRP_AUTH", PASSWORD=BETTER) << WRONG
    play(stage, "ben") >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << WRONG


@pytest.mark.parametrize(
    ("flow", "given", "missing"),
    [
        (PASSWORD_FLOW, {"USERNAME": "", "PASSWORD": GOOD}, "USERNAME"),
        (PASSWORD_FLOW, {}, "PASSWORD"),
        ("USER_SRP_AUTH", {}, "SRP_A"),
        ("REFRESH_TOKEN_AUTH", {}, "REFRESH_TOKEN"),
    ],
)
def test_missing_parameters(stage: Stage, flow: str, given: dict[str, str], missing: str):
    """What a flow needs is asked for by name, before anyone looks for the user."""
    refusal = error("InvalidParameterException", f"Missing required parameter {missing}")
    play(stage, "nobody") >> initiate(flow, **given) << refusal


def test_users_who_are_not_there(stage: Stage):
    """An unknown user is told apart from a wrong password only by clients that do not conceal it."""
    unknown = error("UserNotFoundException", "User does not exist.")
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << unknown
    play(stage) >> initiate("USER_SRP_AUTH", SRP_A="a1") << unknown
    stage.set_client(prevent_user_existence_errors="ENABLED")
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << WRONG
    play(stage) >> admin_initiate("ADMIN_NO_SRP_AUTH", PASSWORD=GOOD) << WRONG
    play(stage) >> initiate("USER_SRP_AUTH", SRP_A="a1") << challenge("PASSWORD_VERIFIER")


@pytest.mark.parametrize(
    ("changes", "told", "concealed"),
    [
        ({"enabled": False}, ("NotAuthorizedException", "User is disabled."), None),
        (
            {"status": UserStatusType.RESET_REQUIRED},
            ("PasswordResetRequiredException", "Password reset required for the user"),
            None,
        ),
        (
            {"status": UserStatusType.UNCONFIRMED},
            ("UserNotConfirmedException", "User is not confirmed."),
            ("UserNotConfirmedException", "User is not confirmed."),
        ),
        (
            {"status": UserStatusType.EXTERNAL_PROVIDER},
            ("NotAuthorizedException", "Incorrect username or password."),
            None,
        ),
    ],
)
def test_states_of_users(stage: Stage, changes: dict, told: tuple, concealed: tuple | None):
    """A user who may not sign in is told why; a concealing client gets the answer to a wrong password."""
    stage.user()
    stage.change(**changes)
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << error(*told)
    stage.set_client(prevent_user_existence_errors="ENABLED")
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << (error(*concealed) if concealed else WRONG)


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_the_lock(stage: Stage, name: str):
    """The fifth wrong password locks for a second, each further one twice as long, for unknown names as well."""
    stage.user()
    stage.set_client(prevent_user_existence_errors="ENABLED")
    wrong, right = (initiate(PASSWORD_FLOW, PASSWORD=password) for password in (BETTER, GOOD))
    for _ in range(4):
        play(stage, name) >> wrong << WRONG
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        play(stage, name) >> wrong << WRONG >> right << LOCKED >> wrong << LOCKED
        play(stage, name) >> wait(seconds - 0.001) >> right << LOCKED >> wait(0.001)
    play(stage, name) >> right << (tokens() if name == "ann" else WRONG)


def test_quiet_forgives(stage: Stage):
    """A quarter of an hour without any attempt after a lock resets the counter."""
    stage.user()
    wrong = initiate(PASSWORD_FLOW, PASSWORD=BETTER)
    for _ in range(5):
        play(stage) >> wrong << WRONG
    play(stage) >> wrong << LOCKED >> wait(1 + 900)
    for _ in range(4):
        play(stage) >> wrong << WRONG
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << tokens()


def test_a_right_password_forgives(stage: Stage):
    """A sign-in resets the counter of wrong passwords."""
    stage.user()
    for _ in range(3):
        for _ in range(4):
            play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=BETTER) << WRONG
        play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << tokens()


def test_guesses_at_once_do_not_pass_the_lock(stage: Stage):
    """Of many guesses at the same time, no more than five learn that they were wrong."""
    stage.user()

    async def storm() -> list[str]:
        return await asyncio.gather(*(guess() for _ in range(20)))

    async def guess() -> str:
        request = InitiateAuthRequest(
            auth_flow=AuthFlowType.USER_PASSWORD_AUTH,
            client_id="client",
            auth_parameters={"USERNAME": "ann", "PASSWORD": BETTER},
        )
        try:
            await auth.initiate_auth(stage.public, request)
        except NotAuthorizedException as refused:
            return refused.message
        return "let in"

    said = stage.run(storm())
    assert sorted(set(said)) == ["Incorrect username or password.", "Password attempts exceeded"]
    assert said.count("Incorrect username or password.") == 5


def test_a_right_guess_does_not_pass_a_lock_that_came_meanwhile(stage: Stage):
    """A guess that was right before the lock came is refused when it would be written."""
    stage.user()
    attempt = sign_in.Attempt(flow=AuthFlowType.USER_PASSWORD_AUTH, username="ann", password=GOOD)
    signed_in = stage.run(sign_in.start(stage.public, stage.pool, stage.client, attempt))
    for _ in range(5):
        play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=BETTER) << WRONG
    with pytest.raises(NotAuthorizedException, match="Password attempts exceeded"):
        stage.run(finish_with_tokens(stage.public, signed_in))


def test_a_refused_device_tells_no_password_past_a_lock(stage: Stage, monkeypatch):
    """That a device is unknown is told after the right password only: not where a lock came while that was checked."""
    stage.set_pool(device_configuration=DeviceConfigurationType())
    stage.user()
    verify = stage.deps.passwords.verify

    async def while_others_guess(hashed: str | None, password: str) -> bool:
        for _ in range(5):
            await stage.store.write(lambda tx: limits.record_failure(tx, stage.clock.now(), stage.pool, "ann"))
        return await verify(hashed, password)

    monkeypatch.setattr(stage.deps.passwords, "verify", while_others_guess)
    unknown = "us-east-1_00000000-0000-4000-8000-000000000000"
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD, DEVICE_KEY=unknown) << LOCKED


def with_apps(stage: Stage, required: UserPoolMfaType) -> None:
    """Let users of the pool have authenticator apps."""
    app = SoftwareTokenMfaConfigType(enabled=True)
    stage.set_pool(GetUserPoolMfaConfigResponse(mfa_configuration=required, software_token_mfa_configuration=app))


def ended_by(stage: Stage, name: str, session: str, **answers: str) -> SignedIn:
    """A sign-in that a right answer has just ended, and nothing written of it yet."""
    responses = {"USERNAME": "ann", **answers}
    reply = sign_in.Reply(challenge=ChallengeNameType(name), session=session, responses=responses)
    return stage.run(sign_in.answer(stage.public, stage.pool, stage.client, reply))


def test_a_right_code_does_not_pass_a_lock_that_came_meanwhile(stage: Stage):
    """Of many guesses at an app's code at once, one that is right after the fifth wrong one lets nobody in."""
    with_apps(stage, UserPoolMfaType.OPTIONAL)
    secret = bytes(totp.SECRET_LENGTH)
    token = seal_token(stage.public, stage.user(), secret, stage.clock.now())
    stage.change(factors=Factors(software_token=token, active=(ChallengeNameType.SOFTWARE_TOKEN_MFA,)))
    right = one_time_code(totp.to_text(secret), stage.clock.now() / 1000)
    wrong = f"{(int(right) + 500_000) % 1_000_000:06}"
    session = (play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)).answer.session
    signed_in = ended_by(stage, "SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE=right)
    mismatch = error("CodeMismatchException", "Invalid code received for user")
    for _ in range(5):
        play(stage) >> respond("SOFTWARE_TOKEN_MFA", session=session, SOFTWARE_TOKEN_MFA_CODE=wrong) << mismatch
    with pytest.raises(NotAuthorizedException, match="Password attempts exceeded"):
        stage.run(finish_with_tokens(stage.public, signed_in))


def test_of_two_apps_set_up_at_once_one_counts(stage: Stage):
    """Whoever is late with an app of their own does not put it in the other's place."""
    with_apps(stage, UserPoolMfaType.ON)
    stage.user()

    def sets_up() -> SignedIn:
        session = (play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)).answer.session
        secret, session = stage.run(enrolment.associate(stage.public, session))
        code = one_time_code(secret, stage.clock.now() / 1000)
        return ended_by(stage, "MFA_SETUP", stage.run(enrolment.verify(stage.public, session, code, None)))

    first, second = sets_up(), sets_up()
    stage.run(finish_with_tokens(stage.public, first))
    kept = stage.find().factors
    with pytest.raises(NotAuthorizedException, match="Invalid session for the user"):
        stage.run(finish_with_tokens(stage.public, second))
    assert stage.find().factors == kept


def test_a_password_of_ones_own_does_not_run_out(stage: Stage):
    """Only a temporary one does."""
    stage.user()
    play(stage) >> wait(1000 * 86_400) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << tokens()


def test_a_temporary_password(stage: Stage):
    """A temporary password asks for another one; then the user is confirmed and has only that one."""
    stage.user(status=FORCED, email="ann@example.com")
    (
        play(stage)
        >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
        << challenge(
            "NEW_PASSWORD_REQUIRED",
            USER_ID_FOR_SRP="ann",
            requiredAttributes="[]",
            userAttributes='{"email":"ann@example.com"}',
        )
        >> respond("NEW_PASSWORD_REQUIRED", NEW_PASSWORD=BETTER)
        << tokens()
    )
    assert stage.find().status == UserStatusType.CONFIRMED
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << WRONG
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=BETTER) << tokens()


def test_challenges_cross_families(stage: Stage):
    """A challenge of AdminInitiateAuth may be answered by either operation, and so may one of InitiateAuth."""
    stage.user(status=FORCED)
    stage.user("ben", status=FORCED)
    asked = challenge("NEW_PASSWORD_REQUIRED")
    (
        play(stage)
        >> admin_initiate("ADMIN_NO_SRP_AUTH", PASSWORD=GOOD)
        << asked
        >> respond("NEW_PASSWORD_REQUIRED", NEW_PASSWORD=BETTER)
        << tokens()
    )
    (
        play(stage, "ben")
        >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
        << asked
        >> admin_respond("NEW_PASSWORD_REQUIRED", NEW_PASSWORD=BETTER)
        << tokens()
    )


def test_a_temporary_password_runs_out(stage: Stage):
    """A right temporary password that is too old is refused; a wrong one is simply wrong."""
    stage.user(status=FORCED)
    old = "Temporary password has expired and must be reset by an administrator."
    (
        play(stage)
        >> wait(7 * 86400)
        >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
        << error("NotAuthorizedException", old)
        >> initiate(PASSWORD_FLOW, PASSWORD=BETTER)
        << WRONG
    )


def test_new_passwords_that_are_refused(stage: Stage):
    """A refused password or attribute leaves the session as it was, for another try."""
    policy = UserPoolPolicyType(password_policy=PasswordPolicyType(minimum_length=8, password_history_size=2))
    name = SchemaAttributeType(name="given_name", required=True)
    stage.set_pool(policies=policy, schema_attributes=[name])
    stage.user(status=FORCED, email="ann@example.com")
    talk = play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
    asked = talk.answer
    talk << challenge("NEW_PASSWORD_REQUIRED", requiredAttributes='["userAttributes.given_name"]')

    def new(password: str | None = BETTER, **attributes: str):
        given = {"NEW_PASSWORD": password} if password else {}
        return respond("NEW_PASSWORD_REQUIRED", session=asked.session, **given, **attributes)

    talk >> new(None) << error("InvalidParameterException", "Missing required parameter NEW_PASSWORD")
    (
        talk
        >> new("short")
        << error("InvalidPasswordException", "Password does not conform to policy: Password not long enough")
    )
    talk >> new() << error("InvalidParameterException", "Invalid attributes given, given_name is missing")
    (
        talk
        >> new(userAttributes__email="a@b.org")
        << error("NotAuthorizedException", "Cannot modify an already provided email")
    )
    (
        talk
        >> new(userAttributes__given_name="Ann", userAttributes__email_verified="true")
        << error("NotAuthorizedException", "A client attempted to write unauthorized attribute")
    )
    (
        talk
        >> new(GOOD, userAttributes__given_name="Ann")
        << error("PasswordHistoryPolicyViolationException", "Password has previously been used")
    )
    talk >> new(userAttributes__given_name="Ann") << tokens()
    assert stage.find().attributes == {"email": "ann@example.com", "given_name": "Ann"}
    assert claims(talk.answer.authentication_result.id_token)["given_name"] == "Ann"


def test_sessions_that_do_not_count(stage: Stage):
    """A session is bound to user, client and challenge, lives three minutes, and counts once."""
    stage.user(status=FORCED)
    stage.user("ben", status=FORCED)
    invalid = error("NotAuthorizedException", "Invalid session for the user.")
    expired = error("NotAuthorizedException", "Invalid session for the user, session is expired.")
    spent = error("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
    talk = play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
    session = talk.answer.session
    assert session.startswith("AYABe")
    good = respond("NEW_PASSWORD_REQUIRED", session=session, NEW_PASSWORD=BETTER)
    missing = error("InvalidParameterException", "Missing required parameter Session")
    talk >> respond("NEW_PASSWORD_REQUIRED", session="", NEW_PASSWORD=BETTER) << missing
    talk >> respond("NEW_PASSWORD_REQUIRED", session=session[:-4] + "AAAA", NEW_PASSWORD=BETTER) << invalid
    talk >> respond("NEW_PASSWORD_REQUIRED", session="x" * 20, NEW_PASSWORD=BETTER) << invalid
    talk >> respond("SMS_MFA", session=session, SMS_MFA_CODE="123456") << invalid
    play(stage, "ben") >> good << invalid
    play(stage, "nobody") >> good << invalid
    stage.set_client("other")
    talk >> good << invalid
    stage.set_client("client")
    talk >> wait(180) >> good << expired >> wait(-0.001) >> good << tokens() >> good << spent


def test_a_session_is_void_once_the_password_changed(stage: Stage):
    """A password set by an administrator ends the sign-ins under way."""
    stage.user(status=FORCED)
    talk = play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
    credentials = replace(stage.find().credentials, password_set_at=stage.clock.now() + 1)
    stage.change(credentials=credentials)
    (
        talk
        >> respond("NEW_PASSWORD_REQUIRED", NEW_PASSWORD=BETTER)
        << error("NotAuthorizedException", "Invalid session for the user.")
    )


def test_a_user_barred_under_way(stage: Stage):
    """Whoever is disabled or must reset the password between two steps goes no further."""
    stage.user(status=FORCED)
    talk = play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
    session = talk.answer.session
    new = respond("NEW_PASSWORD_REQUIRED", session=session, NEW_PASSWORD=BETTER)
    stage.change(enabled=False)
    talk >> new << error("NotAuthorizedException", "User is disabled.")
    stage.change(enabled=True, status=UserStatusType.RESET_REQUIRED)
    reset = error("PasswordResetRequiredException", "Password reset required for the user")
    talk >> new << reset
    stage.set_client(prevent_user_existence_errors="ENABLED")
    talk >> new << WRONG
    stage.change(status=FORCED)
    talk >> new << tokens()


def test_going_on_after_a_confirmed_sign_up(stage: Stage):
    """Who has just confirmed a sign-up is signed in without a password, unless barred."""
    stage.user()

    def resume() -> sign_in.Outcome:
        return stage.run(sign_in.resume(stage.public, stage.pool, stage.client, stage.find()))

    signed_in = resume()
    assert isinstance(signed_in, SignedIn)
    assert signed_in.user.username == "ann"
    for changes in ({"enabled": False}, {"enabled": True, "status": UserStatusType.UNCONFIRMED}):
        stage.change(**changes)
        with pytest.raises(NotAuthorizedException):
            resume()


def test_custom_authentication_of_nobody(stage: Stage):
    """Custom authentication of a concealed user ends like that of a known one."""
    stage.set_client(prevent_user_existence_errors="ENABLED")
    (
        play(stage, "nobody")
        >> initiate("CUSTOM_AUTH")
        << error("InvalidParameterException", "Custom auth lambda trigger is not configured for the user pool.")
    )


def test_a_session_answered_twice_at_once_counts_once(stage: Stage):
    """Of two right answers to one session at the same time, one gets tokens."""
    stage.user(status=FORCED)
    talk = play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
    request = RespondToAuthChallengeRequest(
        challenge_name=ChallengeNameType.NEW_PASSWORD_REQUIRED,
        client_id="client",
        session=talk.answer.session,
        challenge_responses={"USERNAME": "ann", "NEW_PASSWORD": BETTER},
    )

    async def both():
        calls = (auth.respond_to_auth_challenge(stage.public, request) for _ in range(2))
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = stage.run(both())
    assert [isinstance(answer, Exception) for answer in answers].count(True) == 1


def test_two_sessions_answered_at_once(stage: Stage):
    """Of two sign-ins with one temporary password, one sets the new password, the other is void."""
    stage.user(status=FORCED)
    sessions = [(play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)).answer.session for _ in range(2)]

    async def both():
        return await asyncio.gather(*(answer(session) for session in sessions), return_exceptions=True)

    def answer(session: str):
        request = RespondToAuthChallengeRequest(
            challenge_name=ChallengeNameType.NEW_PASSWORD_REQUIRED,
            client_id="client",
            session=session,
            challenge_responses={"USERNAME": "ann", "NEW_PASSWORD": BETTER},
        )
        return auth.respond_to_auth_challenge(stage.public, request)

    void = [said.message for said in stage.run(both()) if isinstance(said, NotAuthorizedException)]
    assert void == ["Invalid session for the user."]


def test_a_password_is_asked_for_without_hints(stage: Stage):
    """The challenge PASSWORD shows nothing."""
    assert stage.run(CHALLENGES[ChallengeNameType.PASSWORD].ask(None, {})).parameters == {}


@pytest.mark.parametrize(("phone", "asked"), [({}, "MFA_SETUP"), ({"phone_number": "+15550100"}, "SMS_MFA")])
def test_no_tokens_without_a_required_factor(stage: Stage, phone: dict[str, str], asked: str):
    """Where a factor is required, it is asked for or to be set up."""
    on = GetUserPoolMfaConfigResponse(mfa_configuration=UserPoolMfaType.ON, sms_mfa_configuration=SmsMfaConfigType())
    stage.set_pool(on)
    stage.user(**phone)
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << challenge(asked)


def test_flows_of_later_versions(stage: Stage):
    """CUSTOM_AUTH is refused as by a pool without its trigger."""
    stage.user()
    (
        play(stage)
        >> initiate("CUSTOM_AUTH")
        << error("InvalidParameterException", "Custom auth lambda trigger is not configured for the user pool.")
    )


@pytest.mark.parametrize(
    ("member", "flow", "trigger"),
    [
        ("pre_authentication", PASSWORD_FLOW, "PreAuthentication"),
        ("post_authentication", PASSWORD_FLOW, "PostAuthentication"),
        ("pre_token_generation", PASSWORD_FLOW, "PreTokenGeneration"),
        ("define_auth_challenge", "CUSTOM_AUTH", "DefineAuthChallenge"),
    ],
)
def test_triggers_are_asked(stage: Stage, member: str, flow: str, trigger: str):
    """A trigger that cannot be invoked stops the sign-in."""
    stage.set_pool(lambda_config=LambdaConfigType(**{member: LAMBDA}))
    stage.user()
    text = f"{trigger} invocation failed due to error ResourceNotFoundException."
    play(stage) >> initiate(flow, PASSWORD=GOOD) << error("UnexpectedLambdaException", text)


def test_the_post_authentication_trigger_waits_for_the_right_password(stage: Stage):
    """A wrong password never reaches the trigger that runs after a sign-in."""
    stage.set_pool(lambda_config=LambdaConfigType(post_authentication=LAMBDA))
    stage.user()
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=BETTER) << WRONG


def test_an_outdated_hash_is_renewed(stage: Stage):
    """A sign-in by password brings the hash up to date, in its one commit."""
    stage.user()
    old = stage.find().credentials.password_hash
    stage.deps.passwords.close()
    object.__setattr__(stage.deps, "passwords", PasswordHasher(memory_kib=16, time_cost=1, threads=1))
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << tokens()
    assert "m=16" in stage.find().credentials.password_hash != old
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << tokens()


def test_a_renewed_hash_does_not_undo_a_change(stage: Stage):
    """A password that changes while a sign-in renews its hash stays changed."""
    stage.user()
    stage.deps.passwords.close()
    object.__setattr__(stage.deps, "passwords", PasswordHasher(memory_kib=16, time_cost=1, threads=1))
    attempt = sign_in.Attempt(flow=AuthFlowType.USER_PASSWORD_AUTH, username="ann", password=GOOD)
    signed_in = stage.run(sign_in.start(stage.public, stage.pool, stage.client, attempt))
    changed = replace(stage.find().credentials, password_hash="changed", password_set_at=stage.clock.now() + 1)
    stage.change(credentials=changed)
    stage.write(signed_in.commit)
    assert stage.find().credentials == changed


def test_names_and_aliases(stage: Stage):
    """A sign-in by alias is one of the user behind it; wrong passwords under either name count together."""
    stage.set_pool(alias_attributes=["email"])
    stage.user(email="ann@example.com", email_verified="true", status=FORCED)
    talk = play(stage, "ann@example.com") >> initiate(PASSWORD_FLOW, PASSWORD=GOOD)
    talk << challenge("NEW_PASSWORD_REQUIRED", USER_ID_FOR_SRP="ann")
    assert json.loads(talk.answer.challenge_parameters["userAttributes"]) == {
        "email": "ann@example.com",
        "email_verified": "true",
    }
    talk >> respond("NEW_PASSWORD_REQUIRED", NEW_PASSWORD=BETTER) << tokens()
    assert claims(talk.answer.authentication_result.access_token)["username"] == "ann"
    for name in ("ann", "ann@example.com") * 2:
        play(stage, name) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << WRONG
    play(stage) >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << WRONG >> initiate(PASSWORD_FLOW, PASSWORD=GOOD) << LOCKED


def test_every_challenge_can_be_asked_and_answered():
    """Each name of the API has its module; ADMIN_NO_SRP_AUTH is a flow that the API lists among them."""
    assert set(CHALLENGES) == set(ChallengeNameType) - {ChallengeNameType.ADMIN_NO_SRP_AUTH}
