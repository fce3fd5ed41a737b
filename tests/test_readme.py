"""README's story, word for word."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from tests.conftest import ACCESS_KEY, SECRET_KEY

ROOT = pathlib.Path(__file__).parent.parent
BIN = pathlib.Path(sys.executable).parent


def blocks(path: str) -> list[str]:
    """The shell blocks of a Markdown file."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)


def test_readme_is_short():
    """README fits on a few screens."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


@pytest.mark.clients
def test_story_ends_with_a_verified_access_token(own_server, tmp_path):
    """README's blocks and those of the browserless path, run by a shell in order, end with verified claims."""
    server = own_server
    story = blocks("README.md")
    making = next(block for block in story if block.startswith("POOL="))
    exchange = next(block for block in story if block.startswith("CODE=")).partition("\n")[2]
    verify = next(block for block in story if "PyJWKClient" in block).partition("\n")[2]
    script = "\n".join(["set -euo pipefail", making, *blocks("docs/start/terminal-only.md"), exchange, verify])
    script = script.replace(".venv/bin/", f"{BIN}/").replace("/tmp/verify/bin/python", sys.executable)
    environment = os.environ | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "AWS_PAGER": "",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": server.url,
        "POOLHOUSE_DATABASE": server.settings.database,
        "POOLHOUSE_MASTER_KEY": server.settings.master_key,
        "POOLHOUSE_PORT": str(server.settings.port),
    }

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110, check=False
    )

    assert done.returncode == 0, done.stderr
    claims = done.stdout.strip().splitlines()[-1]
    assert "'token_use': 'access'" in claims
    assert f"'iss': '{server.url}/" in claims
    assert "openid" in claims
