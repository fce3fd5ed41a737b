"""Row 28 at length: a thousand answers about a user and about nobody, compared closely. Quiet machines only."""

from collections.abc import Iterator

import pytest

from tests.conftest import Server, make_settings, own_database
from tests.delivery.test_smtp import serving
from tests.keys import reuse_rsa_keys
from tests.security.enumeration import Inquirer
from tests.security.test_timing import KNOWN, QUESTIONS, WAITING, check_times, find_question, inquirer_at

ROUNDS, TOLERANCE = 500, 0.03


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def inquirer(request, tmp_path_factory) -> Iterator[Inquirer]:
    """An inquirer at a server with the default costs."""
    directory = tmp_path_factory.mktemp("timing")
    with serving() as (_, port), reuse_rsa_keys(), own_database(request.param, directory) as url:
        costs = {"argon2_memory_kib": 19_456, "argon2_time": 2, "smtp_url": f"smtp://127.0.0.1:{port}"}
        server = Server(make_settings(url, directory, **costs))
        server.start()
        asking = inquirer_at(server)
        yield asking
        asking.close()
        server.stop()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", QUESTIONS)
def test_time(inquirer: Inquirer, name: str):
    """An answer about a user takes as long as one about nobody, to three in a hundred."""
    check_times(inquirer, find_question(inquirer, name), KNOWN, rounds=ROUNDS, tolerance=TOLERANCE)


@pytest.mark.timeout(3600)
def test_time_of_unconfirmed_users(inquirer: Inquirer):
    """So does one about a user who waits for a code."""
    check_times(inquirer, inquirer.unconfirmed(), WAITING, rounds=ROUNDS, tolerance=TOLERANCE)
