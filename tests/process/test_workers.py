"""Several worker processes behind one socket, on either database."""

import contextlib
import http.client
import itertools
import os
import pathlib
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.process.durability import ROTATION, Person, Town, query
from tests.process.program import Caller, Program, Refused

CONNECTIONS = 8


@pytest.fixture(scope="module")
def town(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A pool of a server with two workers, for tests that leave both alive."""
    place = tmp_path_factory.mktemp("workers")
    with contextlib.ExitStack() as stack:
        database = f"sqlite:///{place}/data/poolhouse.db"
        if database_kind == "postgres":
            from tests.postgres import postgres_url

            database = stack.enter_context(postgres_url())
        program = Program(place, database)
        stack.callback(program.clean_up)
        yield Town(program.start("--workers", "2"))


def workers_of(program: Program) -> list[int]:
    """The processes that listen besides their parent."""
    children = pathlib.Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
    return [pid for pid in map(int, children) if b"spawn_main" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]


def served_by(program: Program, connection: socket.socket) -> int:
    """The worker that has accepted a connection."""
    local = connection.getsockname()[1]
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        parts = line.split()
        if int(parts[2].rpartition(":")[2], 16) == local and int(parts[1].rpartition(":")[2], 16) == program.port:
            inode = f"socket:[{parts[9]}]"
            for pid in workers_of(program):
                for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                    # The worker goes on meanwhile, and may have closed what was listed.
                    with contextlib.suppress(FileNotFoundError):
                        if inode == descriptor.readlink().name:
                            return pid
    raise AssertionError("nobody has accepted the connection")


@pytest.fixture
def callers(town: Town) -> Iterator[Callable[[], dict[int, list[Caller]]]]:
    """Open connections until each worker has some, and give them by worker."""
    program = town.program
    opened: list[Caller] = []

    def open_some() -> dict[int, list[Caller]]:
        found: dict[int, list[Caller]] = {}
        deadline = time.monotonic() + 30
        while len(found) < 2 or min(map(len, found.values())) < CONNECTIONS // 2:
            assert time.monotonic() < deadline, {pid: len(some) for pid, some in found.items()}
            # Opened together: a worker that is busy with one does not take the next.
            with ThreadPoolExecutor(CONNECTIONS) as threads:
                fresh = list(threads.map(lambda _: connected(program), range(CONNECTIONS)))
            opened.extend(fresh)
            for caller in fresh:
                found.setdefault(served_by(program, caller._connection.sock), []).append(caller)
        return found

    yield open_some
    for caller in opened:
        caller.close()


def connected(program: Program) -> Caller:
    """A caller whose connection a worker has answered on."""
    caller = Caller(program)
    caller._connection.request("GET", "/health/ready")
    caller._connection.getresponse().read()
    return caller


def at_once(work: Callable[[Caller], Any], callers: list[Caller]) -> list[Any]:
    """Do the same over each connection at the same time; give results or the errors' types."""

    def one(caller: Caller) -> Any:
        try:
            return work(caller)
        except Refused as error:
            return error.code

    with ThreadPoolExecutor(len(callers)) as threads:
        return list(threads.map(one, callers))


def test_both_workers_serve_and_write(town, callers):
    """People sign up through both workers at once, each is seen by the other, and none is lost."""
    by_worker = callers()
    every = list(itertools.chain(*by_worker.values()))
    numbers = itertools.count()
    people = [[Person(f"w{next(numbers)}") for _ in range(8)] for _ in every]

    def sign_up(pair: tuple[Caller, list[Person]]) -> None:
        for person in pair[1]:
            town.sign_up(pair[0], person)

    with ThreadPoolExecutor(len(every)) as threads:
        list(threads.map(sign_up, zip(every, people, strict=True)))
    assert set(town.users()) >= {person.name for some in people for person in some}
    one_of_each = [some[0] for some in by_worker.values()]
    again = at_once(lambda caller: town.sign_up(caller, people[0][0]), one_of_each)
    assert again == ["UsernameExistsException", "UsernameExistsException"]


def test_a_change_is_seen_by_every_worker_at_once(town, callers):
    """A client that was updated through one worker is what the next answer of every worker goes by."""
    by_worker = callers()
    admin = town.program.boto()
    every = list(itertools.chain(*by_worker.values()))
    town.confirm(every[0], signed_up(town, every[0], "ann"))
    person = Person("ann")
    for flows in (["ALLOW_USER_SRP_AUTH"], ["ALLOW_USER_PASSWORD_AUTH"]) * 3:
        admin.update_user_pool_client(
            UserPoolId=town.pool_id, ClientId=town.client_id, ExplicitAuthFlows=flows, RefreshTokenRotation=ROTATION
        )
        allowed = flows == ["ALLOW_USER_PASSWORD_AUTH"]
        for answer in at_once(lambda caller: town.sign_in(caller, person), every):
            assert (answer != "InvalidParameterException") == allowed, answer
    doomed = admin.create_user_pool_client(UserPoolId=town.pool_id, ClientName="doomed")["UserPoolClient"]["ClientId"]
    asked = {"ClientId": doomed, "Username": "nobody", "ConfirmationCode": "123456"}
    assert "ResourceNotFoundException" not in at_once(lambda caller: caller("ConfirmSignUp", **asked), every)
    admin.delete_user_pool_client(UserPoolId=town.pool_id, ClientId=doomed)
    assert set(at_once(lambda caller: caller("ConfirmSignUp", **asked), every)) == {"ResourceNotFoundException"}


def signed_up(town: Town, caller: Caller, name: str) -> Person:
    """Someone who has signed up."""
    person = Person(name)
    town.sign_up(caller, person)
    return person


def test_what_is_good_once_is_good_once_across_workers(town, callers):
    """Of parallel redemptions of one code, and of parallel rotations of one token, over both workers one wins."""
    every = list(itertools.chain(*callers().values()))
    for code in town.fetch_codes(3):
        said = at_once(lambda caller, code=code: town.redeem(caller, code), every)
        assert sum(isinstance(answer, dict) for answer in said) == 1, said
        assert {answer for answer in said if isinstance(answer, str)} == {"invalid_grant"}
    person = signed_up(town, every[0], "bob")
    town.confirm(every[0], person)
    for _ in range(3):
        token = town.sign_in(every[0], person)
        said = at_once(lambda caller, token=token: town.rotate(caller, token), every)
        refusals = {"RefreshTokenReuseException", "NotAuthorizedException"}
        assert len([answer for answer in said if answer not in refusals]) == 1, said


def test_a_confirmation_code_confirms_once_across_workers(town, callers):
    """Of parallel confirmations with one code one succeeds."""
    every = list(itertools.chain(*callers().values()))
    person = signed_up(town, every[0], "cleo")
    said = at_once(lambda caller: town.confirm(caller, person), every)
    assert said.count(None) == 1, said


def test_limits_hold_across_workers(town, callers):
    """Of parallel requests over both workers five get another code, and no more than five guesses are looked at."""
    every = list(itertools.chain(*callers().values()))
    person = signed_up(town, every[0], "dora")
    again = {"ClientId": town.client_id, "Username": person.name}
    said = at_once(lambda caller: caller("ResendConfirmationCode", **again), every)
    assert said.count("LimitExceededException") == len(every) - 5
    assert sum(isinstance(answer, dict) for answer in said) == 5
    # Which of the codes is the last one, the mailbox does not tell.
    town.program.boto().admin_confirm_sign_up(UserPoolId=town.pool_id, Username=person.name)
    guess = {"USERNAME": person.name, "PASSWORD": "Wrong-Horse-1"}
    begin = {"ClientId": town.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": guess}

    def told(caller: Caller) -> str:
        try:
            return str(caller("InitiateAuth", **begin))
        except Refused as error:
            return str(error)

    looked_at = [answer for answer in at_once(told, every) if "Incorrect username or password." in answer]
    assert len(looked_at) <= 6  # a lock of one second may run out on a slow machine
    assert any("Password attempts exceeded" in told(caller) for caller in every[-4:])


def test_a_session_is_answered_once_across_workers(town, callers):
    """Of parallel answers to one challenge, each on a connection of its own, one signs in."""
    every = list(itertools.chain(*callers().values()))
    town.program.boto().admin_create_user(
        UserPoolId=town.pool_id, Username="new", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    given = {"USERNAME": "new", "PASSWORD": PASSWORD}
    asked = every[0]("InitiateAuth", ClientId=town.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)

    def answer(caller: Caller) -> dict[str, Any]:
        return caller(
            "RespondToAuthChallenge",
            ClientId=town.client_id,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": "new", "NEW_PASSWORD": "Another-Horse-2"},
        )

    said = at_once(answer, every)
    assert sum(isinstance(one, dict) for one in said) == 1, said


def test_a_killed_worker_is_replaced(program):
    """A worker that dies is started afresh, and meanwhile the other serves."""
    program.start("--workers", "2")
    first = workers_of(program)
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    assert program.boto().list_user_pools(MaxResults=1)["UserPools"] == []
    wait_until(lambda: len(set(workers_of(program)) - {first[0]}) == 2)
    assert program.stop() == 0


def test_workers_end_with_their_parent(program):
    """Workers whose parent was killed do not go on holding the port."""
    program.start("--workers", "2")
    workers = workers_of(program)
    program.kill()
    wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}/cmdline").exists() for pid in workers))
    program.start()
    assert program.boto().list_user_pools(MaxResults=1)["UserPools"] == []


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_drains(install, own_database, workers):
    """An open request is answered, no further connection is taken, and the exit code is 0."""
    program = install(own_database, WORKERS=workers).start()
    body = b'{"MaxResults": 1}'
    connection = socket.create_connection(("127.0.0.1", program.port), timeout=30)
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSCognitoIdentityProviderService.ListUserPools\r\n"
        f"Content-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body[:5])
    time.sleep(0.2)
    program.process.terminate()
    wait_until(lambda: is_refused(program.port))
    connection.sendall(body[5:])
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert answer.status == 400
    assert b"MissingAuthenticationTokenException" in answer.read()
    connection.close()
    assert program.process.wait(30) == 0
    program.process = None


def is_refused(port: int) -> bool:
    """Nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def test_two_servers_start_on_one_new_database(install, own_database):
    """Both agree on one root key, one pool of operators and, on one machine, one master key."""
    directory = "shared"
    pair = [install(own_database, directory) for _ in range(2)]
    for program in pair:
        del program.environment["POOLHOUSE_ROOT_ACCESS_KEY_ID"]
        del program.environment["POOLHOUSE_ROOT_SECRET_ACCESS_KEY"]
        program.environment |= {"POOLHOUSE_OPERATOR_EMAIL": "op@example.org"}
        program.environment |= {"POOLHOUSE_OPERATOR_PASSWORD": "an-operators-password"}
        program.begin()
    for program in pair:
        program.wait_until_ready()
    keys = [re.findall(r"AWS_.*KEY.*=.*", program.out("env")) for program in pair]
    assert keys[0] == keys[1]
    assert query(own_database, "SELECT COUNT(*) FROM access_keys") == [(1,)]
    assert query(own_database, "SELECT COUNT(*) FROM pools") == [(1,)]
    assert query(own_database, "SELECT COUNT(*) FROM clients") == [(1,)]
    assert query(own_database, "SELECT COUNT(*) FROM users") == [(1,)]
    assert [program.stop() for program in pair] == [0, 0]


def test_two_machines_do_not_share_a_database_by_accident(install, database_kind, own_database):
    """Of two that start on one new database, each with a master key of its own, one serves and one is told why not."""
    if database_kind == "sqlite":
        pytest.skip("the master key lies beside a SQLite database")
    pair = [install(own_database, f"machine{number}") for number in range(2)]
    for program in pair:
        program.begin()
    wait_until(lambda: any(program.process.poll() is not None for program in pair))
    lost, won = sorted(pair, key=lambda program: program.process.poll() is None)
    assert lost.process.poll() == 1
    assert lost.told.startswith("poolhouse: This database was sealed with another master key")
    won.wait_until_ready()
    assert won.stop() == 0
