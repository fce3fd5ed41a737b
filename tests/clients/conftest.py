"""What the client tests share."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.authenticator import Authenticator, one_time_code

NODE = pathlib.Path(__file__).parent / "node"
CALLBACK = "http://localhost:3000/callback"
ROTATING = {
    "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
    "ExplicitAuthFlows": [
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_CUSTOM_AUTH",
        "ALLOW_USER_AUTH",
    ],
}


@pytest.fixture
def hosted_pool(pool, app, call):
    """A pool with a classic domain, a public client for the code flow, and how to sign in there by form."""
    pool_id = pool(UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    domain = pool_id.lower().replace("_", "")
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=domain)
    client = app(
        pool_id,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email"],
        CallbackURLs=[CALLBACK],
        SupportedIdentityProviders=["COGNITO"],
    )
    return pool_id, client


def sign_in_by_form(authorize_url: str, username: str, password: str) -> str:
    """Go from the authorization URL through the login form; return the URL that the application gets."""
    with httpx.Client(follow_redirects=False) as browser:
        page = browser.get(authorize_url)
        while page.is_redirect:
            page = browser.get(page.headers["location"])
        assert page.status_code == 200, page.text
        csrf = re.search(r'name="_csrf" value="([^"]+)"', page.text)[1]
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        form = fields | {"_csrf": csrf, "username": username, "password": password}
        answer = browser.post(str(page.url), data=form)
        while answer.is_redirect and not answer.headers["location"].startswith(CALLBACK):
            answer = browser.get(answer.headers["location"])
        assert answer.is_redirect, answer.text
        return answer.headers["location"]


def code_of(callback: str) -> str:
    """The authorization code in a callback URL."""
    return parse_qs(urlsplit(callback).query)["code"][0]


@pytest.fixture
def answers(server, inbox):
    """A dialogue: the last code sent to an address, the code of an authenticator app, what an authenticator makes.

    An app's code is good once, so half a minute passes with each.
    """
    passkey = Authenticator()

    def answer(question: str) -> str:
        kind, _, about = question.partition(" ")
        match kind:
            case "inbox":
                return inbox(about)[-1].code
            case "authenticator":
                server.clock.advance(30)
                return one_time_code(about, server.clock.now() / 1000)
            case "create":
                return json.dumps(passkey.create(json.loads(about)))
        return passkey.get(json.loads(about))

    return answer


@pytest.fixture(scope="session")
def node():
    """Run one of our Node scripts; give its last line of output as JSON. ``dialogue`` answers what it asks meanwhile."""
    if shutil.which("node") is None or not (NODE / "node_modules").is_dir():
        pytest.skip("Node.js and the packages of tests/clients/node are not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version[1:].partition(".")[0]) < 20:
        pytest.skip("openid-client needs Node.js 20")

    def run(script: str, *arguments: str, dialogue=None):
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                ["node", NODE / script, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            too_long = threading.Timer(60, process.kill)
            too_long.start()
            try:
                line = ""
                for line in process.stdout:
                    if line.startswith("? "):
                        process.stdin.write(dialogue(line[2:].strip()) + "\n")
                        process.stdin.flush()
            finally:
                process.stdin.close()
                process.wait()
                too_long.cancel()
            errors.seek(0)
            assert process.returncode == 0, errors.read()
        return json.loads(line)

    return run
