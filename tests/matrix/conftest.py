"""The world that the matrix is about."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import poolhouse.api.operations  # noqa: F401 - fills the registry
from tests.matrix import cases
from tests.matrix.world import World
from tests.wire.client import RawClient

for module in pkgutil.iter_modules(cases.__path__, f"{cases.__name__}."):
    importlib.import_module(module.name)


@pytest.fixture
def world(call, inbox, server, functions) -> World:
    """A pool with nothing in it yet."""
    return World(call, inbox, server, functions)


@pytest.fixture
def raw(server) -> Iterator[RawClient]:
    """A client that says exactly what it is told to."""
    client = RawClient(server)
    yield client
    client.close()
