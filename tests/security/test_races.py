"""What happens between reading and writing: of many at once one wins, and who was barred meanwhile does not get in."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from poolhouse.flows.session_tracking import begin_session
from poolhouse.storage import Tx
from tests.conftest import PASSWORD, Server, make_settings
from tests.login.conftest import CALLBACK, CLIENT
from tests.operations.talk import refusal

MANY = 8
TEMPORARY = "Temporary-Pass-1"


def together(work: Callable[[int], Any], count: int = MANY) -> tuple[list[Any], list[str]]:
    """Do the same many times at once; return what succeeded, and the codes of the errors."""
    done: list[Any] = []
    refused: list[str] = []
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        gate.wait()
        try:
            done.append(work(number))
        except ClientError as error:
            refused.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, refused


@pytest.fixture
def many(server: Server) -> Callable[..., Any]:
    """Call an operation from many threads."""
    client = server.boto(config={"max_pool_connections": MANY})
    return lambda operation, **members: client._make_api_call(operation, members)


def test_one_sign_up_of_a_name(many, pool, app):
    """Of many sign-ups of one name, in any spelling, one succeeds."""
    pool_id = pool(UsernameConfiguration={"CaseSensitive": False})
    client = app(pool_id)["ClientId"]
    names = ("ann", "Ann", "ANN", "aNN")
    done, refused = together(
        lambda number: many("SignUp", ClientId=client, Username=names[number % 4], Password=PASSWORD)
    )
    assert len(done) == 1
    assert set(refused) == {"UsernameExistsException"}


def test_one_owner_of_an_address(many, call, pool, user):
    """Of many users who are given one address as their alias at the same moment, one has it."""
    pool_id = pool(AliasAttributes=["email"])
    for number in range(MANY):
        user(pool_id, f"u{number}")
    attributes = [{"Name": "email", "Value": "race@example.com"}, {"Name": "email_verified", "Value": "true"}]
    done, refused = together(
        lambda number: (
            many("AdminUpdateUserAttributes", UserPoolId=pool_id, Username=f"u{number}", UserAttributes=attributes),
            number,
        )[1]
    )
    assert len(done) == 1
    assert set(refused) == {"AliasExistsException"}
    assert call("AdminGetUser", UserPoolId=pool_id, Username="race@example.com")["Username"] == f"u{done[0]}"


def test_one_use_of_a_session(many, call, pool, app):
    """Of many answers to one challenge one succeeds, and its password is the user's."""
    pool_id = pool()
    client = app(pool_id)["ClientId"]
    call("AdminCreateUser", UserPoolId=pool_id, Username="ann", MessageAction="SUPPRESS", TemporaryPassword=TEMPORARY)
    start = {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH"}
    asked = call("InitiateAuth", **start, AuthParameters={"USERNAME": "ann", "PASSWORD": TEMPORARY})

    def answer(number: int) -> int:
        many(
            "RespondToAuthChallenge",
            ClientId=client,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": f"Battery-Staple-{number}"},
        )
        return number

    done, refused = together(answer)
    assert len(done) == 1
    assert set(refused) == {"NotAuthorizedException"}
    parameters = {"USERNAME": "ann", "PASSWORD": f"Battery-Staple-{done[0]}"}
    assert call("InitiateAuth", **start, AuthParameters=parameters)["AuthenticationResult"]


def test_one_change_of_a_password(many, call, pool, app, user):
    """Of several who replace one password at the same moment one succeeds: it was the present one for that one only."""
    pool_id = pool()
    client, name = app(pool_id)["ClientId"], user(pool_id)
    start = {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH"}
    begun = call("InitiateAuth", **start, AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD})
    token = begun["AuthenticationResult"]["AccessToken"]

    def change(number: int) -> int:
        given = {"PreviousPassword": PASSWORD, "ProposedPassword": f"Battery-Staple-{number}"}
        many("ChangePassword", AccessToken=token, **given)
        return number

    done, refused = together(change, 5)
    assert len(done) == 1
    assert set(refused) == {"NotAuthorizedException"}
    parameters = {"USERNAME": name, "PASSWORD": f"Battery-Staple-{done[0]}"}
    assert call("InitiateAuth", **start, AuthParameters=parameters)["AuthenticationResult"]


def test_one_use_of_a_proof(many, call, pool, app, user, srp_start):
    """Of many who present one proof by SRP at the same moment, one is signed in."""
    pool_id = pool()
    client = app(pool_id)["ClientId"]
    user(pool_id, "ann")
    side, parameters = srp_start(pool_id, client, "ann")
    responses = side.process_challenge(parameters, {"USERNAME": "ann"})
    done, refused = together(
        lambda _: many(
            "RespondToAuthChallenge", ClientId=client, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=responses
        )
    )
    assert len(done) == 1
    assert set(refused) == {"NotAuthorizedException"}


@pytest.mark.parametrize("ending", ["AdminUserGlobalSignOut", "AdminDisableUser"])
def test_a_sign_in_and_an_ending_at_once(server, call, pool, app, user, database_kind, monkeypatch, ending):
    """A session that is stored while its user is signed out or disabled, by a request that came first, is void."""
    if database_kind == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    pool_id = pool()
    client, name = app(pool_id)["ClientId"], user(pool_id)
    admin = server.boto()

    def meanwhile(tx: Tx, *rest: Any) -> bool:
        monkeypatch.undo()
        server.clock.advance(-1)
        admin._make_api_call(ending, {"UserPoolId": pool_id, "Username": name})
        server.clock.advance(1)
        return begin_session(tx, *rest)

    monkeypatch.setattr("poolhouse.flows.sign_in_tokens.begin_session", meanwhile)
    parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
    start = {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
    made = call("InitiateAuth", **start)["AuthenticationResult"]
    call("AdminEnableUser", UserPoolId=pool_id, Username=name)
    refresh = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": made["RefreshToken"]}}
    for operation, members in (
        ("GetUser", {"AccessToken": made["AccessToken"]}),
        ("InitiateAuth", {"ClientId": client} | refresh),
    ):
        assert refusal(call, operation, **members)[0] == "NotAuthorizedException"
    assert call("InitiateAuth", **start)["AuthenticationResult"]


def test_one_operator_of_an_invitation(server):
    """A set-up link that many open at once makes one operator."""
    from poolhouse.flows import operators

    token = server.run(operators.invite(server.deps)).partition("token=")[2]
    before = set(server.run(operators.list_operators(server.deps)))

    def accept(number: int) -> None:
        form = {"token": token, "email": f"race{number}@example.org", "password": "a-long-operator-password"}
        httpx.post(f"{server.url}/console/welcome", data=form, trust_env=False)

    together(accept)
    assert len(set(server.run(operators.list_operators(server.deps))) - before) == 1


@pytest.fixture(scope="module")
def slow(rsa_keys, tmp_path_factory) -> Iterator[Server]:
    """A server whose passwords take a good part of a second to check."""
    directory = tmp_path_factory.mktemp("slow")
    hashing = {"argon2_memory_kib": 65_536, "argon2_time": 3}
    server = Server(make_settings(f"sqlite:///{directory}/poolhouse.db", directory, **hashing))
    server.start()
    yield server
    server.stop()


ENDINGS = ("AdminDisableUser", "AdminDeleteUser", "AdminUserGlobalSignOut", "disabled for a moment")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("door", ["API", "page"])
def test_who_is_barred_meanwhile_does_not_get_in(slow: Server, ending: str, door: str):
    """A sign-in whose password is being checked when its user is barred, deleted or signed out ends in nothing."""
    cognito = slow.boto(config={"max_pool_connections": 4})
    pool_id = cognito.create_user_pool(PoolName="slow")["UserPool"]["Id"]
    flows = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
    made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="slow", **(CLIENT | flows))
    client = made["UserPoolClient"]["ClientId"]
    prefix = pool_id.replace("_", "-").lower()
    cognito.create_user_pool_domain(UserPoolId=pool_id, Domain=prefix)
    user = {"UserPoolId": pool_id, "Username": "ann"}
    cognito.admin_create_user(**user, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    came: list[str] = []
    begun = threading.Event()

    def by_api() -> None:
        begun.set()
        try:
            answer = cognito.initiate_auth(
                ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD}
            )
            came.append(answer["AuthenticationResult"]["AccessToken"])
        except ClientError as error:
            assert error.response["Error"]["Code"] in {"NotAuthorizedException", "UserNotFoundException"}

    def by_page() -> None:
        token = "11111111-1111-4111-8111-111111111111"
        url = f"{slow.url}/auth/{prefix}/login"
        query = {"client_id": client, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
        begun.set()
        answer = httpx.post(
            url,
            params=query,
            data={"_csrf": token, "username": "ann", "password": PASSWORD},
            headers={"cookie": f"XSRF-TOKEN={token}"},
            trust_env=False,
            timeout=30,
        )
        assert answer.status_code < 500
        if "code=" in answer.headers.get("location", "").replace("response_type=code", ""):
            came.append(answer.headers["location"])

    thread = threading.Thread(target=by_api if door == "API" else by_page)
    thread.start()
    begun.wait()
    _wait_for_a_password(slow)
    if ending == "disabled for a moment":
        cognito.admin_disable_user(**user)
        cognito.admin_enable_user(**user)
    else:
        cognito._make_api_call(ending, user)
    assert not came, "the check of the password was too quick for this test"
    thread.join()
    assert not came


def _wait_for_a_password(server: Server) -> None:
    """Wait until the server is at the check of a password."""
    threads = server.deps.passwords._threads
    while threads._taken == 0:
        threading.Event().wait(0.001)
