"""The fixtures of the tests, on both databases unless told otherwise."""

import pytest

pytest_plugins = ["tests.conftest", "tests.process.conftest"]


def pytest_configure(config: pytest.Config) -> None:
    if not any(argument.startswith("--database") for argument in config.invocation_params.args):
        config.option.database = "both"
