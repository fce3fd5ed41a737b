"""Starting: what a first start leaves behind, and in which words a start is refused."""

import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

import pytest

from tests.process.program import CHEAP, POOLHOUSE, Program

# On an idle machine 0.4 seconds are the aim; beside other work the same instructions take longer.
START_CPU_SECONDS = 1.5
IDLE_MEGABYTES = 80


@pytest.fixture(scope="module")
def old_place(tmp_path_factory) -> pathlib.Path:
    """A directory with an installation in it, made by a first start; its server is stopped."""
    place = tmp_path_factory.mktemp("installation")
    program = Program(place, f"sqlite:///{place}/data/poolhouse.db")
    try:
        program.start()
        assert program.stop() == 0
    finally:
        program.clean_up()
    return place


@pytest.fixture
def old(old_place, install) -> Program:
    """That installation, with settings of this test's own."""
    return install(f"sqlite:///{old_place}/data/poolhouse.db", str(old_place))


def test_files_are_private(old_place):
    """The directory is for its owner alone, and so are the master key and the database."""
    data = old_place / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {path.name for path in data.iterdir()} >= {"master.key", "poolhouse.db"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}
    assert re.fullmatch(r"[0-9a-f]{64}\n", (data / "master.key").read_text())


def test_first_start_tells_where_everything_is(old_place):
    """It prints the URLs, a set-up link and how to get credentials, as it was called, and no secret but the link."""
    told = (old_place / "server.log").read_text()
    assert re.search(r"API and issuer  http://localhost:\d+\n", told)
    assert re.search(r"Console         http://localhost:\d+/console/\n", told)
    assert re.search(r"First operator  http://localhost:\d+/console/welcome\?token=\S+\n", told)
    command = "poolhouse" if shutil.which("poolhouse") else POOLHOUSE
    assert f'eval "$({command} env)"' in told
    assert (old_place / "data" / "master.key").read_text().strip() not in told


def test_an_old_installation_answers_soon_and_stays_small(old):
    """A start with an existing database takes little of the processor, and an idle server little memory."""
    old.start()
    fields = pathlib.Path(f"/proc/{old.process.pid}/stat").read_text().rpartition(")")[2].split()
    assert (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") < START_CPU_SECONDS
    time.sleep(0.2)
    status = pathlib.Path(f"/proc/{old.process.pid}/status").read_text()
    assert int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024 < IDLE_MEGABYTES
    assert old.stop() == 0


def test_wrong_master_key(old):
    """A database does not open with another key than it was sealed with; the server says so and exits 1."""
    other = {"POOLHOUSE_MASTER_KEY": "22" * 32}
    expected = "poolhouse: This database was sealed with another master key: give it the one it was made with."
    assert old.refusal("serve", **other) == expected
    assert old.refusal("serve", "--workers", "2", **other) == expected
    assert old.refusal("env", **other) == expected


@pytest.mark.parametrize("key", ["", "11", "zz" * 32, "11" * 33])
def test_a_master_key_that_is_none(old, tmp_path, key):
    """A key of another form is refused by name, and never shown."""
    file = tmp_path / "key"
    file.write_text(key)
    told = old.refusal("serve", POOLHOUSE_MASTER_KEY_FILE=str(file))
    assert told == "poolhouse: POOLHOUSE_MASTER_KEY must hold 64 hexadecimal digits."


def test_port_in_use(old):
    """Of two servers at one port the second says so, and touches nothing."""
    with socket.create_server(("127.0.0.1", old.port)):
        for workers in ("1", "2"):
            told = old.refusal("serve", "--workers", workers)
            assert told == f"poolhouse: cannot listen on 127.0.0.1:{old.port}: Address already in use"


@pytest.mark.parametrize(
    ("host", "reason"),
    [("192.0.2.1", "Cannot assign requested address"), ("nobody.invalid", "(Name or service not known|.*resolution)")],
)
def test_no_such_address(old, host, reason):
    """An address that is not this machine's is named."""
    told = old.refusal("serve", "--host", host)
    assert re.fullmatch(f"poolhouse: cannot listen on {re.escape(host)}:{old.port}: {reason}.*", told), told


def test_no_place_for_the_database(install, tmp_path):
    """A directory that cannot be made, or a database that cannot be opened, is named."""
    (tmp_path / "file").touch()
    below_a_file = install(f"sqlite:///{tmp_path}/file/poolhouse.db")
    expected = f"poolhouse: Cannot make the directory {tmp_path}/file for the database: "
    assert below_a_file.refusal("serve").startswith(expected)
    assert below_a_file.refusal("env").startswith(expected)
    (tmp_path / "folder").mkdir()
    told = install(f"sqlite:///{tmp_path}/folder").refusal("serve")
    assert told == f"poolhouse: Cannot open {tmp_path}/folder: Is a directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_directory_that_is_not_ours(tmp_path):
    """Without the right to write beside the database there is one sentence."""
    place = tmp_path / "theirs"
    place.mkdir(mode=0o755)
    database = f"sqlite:///{place}/poolhouse.db"
    # Whoever runs the tests may have put the program where nobody can read it.
    environment = {"PATH": os.environ["PATH"], "POOLHOUSE_DATABASE": database, "POOLHOUSE_PORT": "0"} | CHEAP
    for parent in place.parents:
        if parent.parent.is_relative_to(tempfile.gettempdir()):
            parent.chmod(0o755)
    done = subprocess.run(
        [POOLHOUSE, "serve"], cwd="/", env=environment, user=65534, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"poolhouse: Cannot open {place}/poolhouse.db: Permission denied\n"


def test_postgresql_is_down(install):
    """A database server that does not answer is told in one sentence, without the password."""
    program = install("postgresql://poolhouse:hunter2-hunter2@127.0.0.1:1/poolhouse")
    for command in (["serve"], ["serve", "--workers", "2"], ["check"], ["migrate"]):
        told = program.refusal(*command)
        assert told.startswith("poolhouse: Cannot connect to PostgreSQL: "), told
        assert "Connection refused" in told
        assert "hunter2" not in told


@pytest.mark.parametrize("url", ["postgresql://u:hunter2 x@h/d", "postgresql://u:hunter2%zz@h/d"])
def test_unreadable_postgresql_url(install, url):
    """A malformed URL is refused without being quoted: it holds the password."""
    assert install(url).refusal("serve") == "poolhouse: The URL of the PostgreSQL database cannot be read."


def test_unusable_operator(install, own_database):
    """An operator whose password is too short is refused in words of the settings."""
    program = install(own_database, OPERATOR_EMAIL="op@example.org", OPERATOR_PASSWORD="short")
    told = program.refusal("serve")
    assert told.startswith("poolhouse: POOLHOUSE_OPERATOR_EMAIL and _PASSWORD make no operator: "), told


def test_any_free_port(install, old_place, tmp_path):
    """Port 0 takes a port that is free and tells which."""
    program = install(f"sqlite:///{old_place}/data/poolhouse.db", PORT="0")
    program.begin()
    deadline = time.monotonic() + 60
    while not (found := re.search(r"API and issuer  http://localhost:(\d+)\n", program.told)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    program.port = int(found[1])
    program.wait_until_ready()
    assert program.stop() == 0


def test_control_c(old):
    """SIGINT ends the server as SIGTERM does, without a traceback."""
    old.start()
    old.process.send_signal(signal.SIGINT)
    assert old.process.wait(30) == 0
    old.process = None
    assert "Traceback" not in old.told
