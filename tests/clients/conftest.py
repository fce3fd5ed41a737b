"""What the client tests share."""

import json
import pathlib
import re
import shutil
import subprocess
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

NODE = pathlib.Path(__file__).parent / "node"
CALLBACK = "http://localhost:3000/callback"


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


@pytest.fixture(scope="session")
def node():
    """Run one of our Node scripts; give its last line of output as JSON."""
    if shutil.which("node") is None or not (NODE / "node_modules").is_dir():
        pytest.skip("Node.js and the packages of tests/clients/node are not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version[1:].partition(".")[0]) < 20:
        pytest.skip("openid-client needs Node.js 20")

    def run(script: str, *arguments: str, dialogue=None):
        process = subprocess.Popen(
            ["node", NODE / script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        question = None
        if dialogue is not None:
            question = dialogue(process.stdout.readline().strip()) + "\n"
        output, errors = process.communicate(question, timeout=60)
        assert process.returncode == 0, errors
        return json.loads(output.strip().splitlines()[-1])

    return run
