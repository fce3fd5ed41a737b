"""Raw access to the server."""

from collections.abc import Iterator

import pytest

from tests.wire.client import RawClient


@pytest.fixture
def raw(server) -> Iterator[RawClient]:
    """A client that says exactly what it is told to."""
    client = RawClient(server)
    yield client
    client.close()
