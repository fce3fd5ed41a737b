"""Code that signs people in with an app client: each snippet runs as it stands.

The texts live in ``snippets/*.txt``; ``$name`` in them is filled in (``string.Template``).
"""

import importlib.resources
import json
import shlex
from string import Template
from urllib.parse import quote, urlsplit

from msgspec import Struct

from poolhouse.model import UserPoolClientType

HEADINGS = {
    "web": "Set up your traditional web application",
    "spa": "Set up your single-page application",
    "mobile": "Set up your mobile app",
    "machine": "Set up your machine-to-machine application",
}
DEFAULT_PORT = 3000


class Snippet(Struct, frozen=True):
    """A piece of code to copy."""

    title: str
    intro: str
    code: str


# By kind of application: file, title, what to do with it.
CATALOGUE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "web": (
        (
            "flask",
            "Python: Flask and Authlib",
            "pip install flask authlib requests, save as app.py, run: python app.py",
        ),
        (
            "express",
            "Node.js: Express and openid-client",
            "npm install express express-session openid-client, save as app.mjs, run: node app.mjs",
        ),
        (
            "curl_web",
            "Any HTTP client: curl",
            "Sign in on the login page, then exchange the code that your return URL gets.",
        ),
    ),
    "spa": (
        ("spa", "JavaScript: oidc-client-ts", "Save as index.html and serve it at the return URL."),
        (
            "react",
            "React: react-oidc-context",
            "npm install react-oidc-context oidc-client-ts, then use this as src/main.jsx.",
        ),
    ),
    "mobile": (
        (
            "react_native",
            "React Native: react-native-app-auth",
            "npm install react-native-app-auth, then call signIn().",
        ),
        ("curl_public", "Any HTTP client: curl", "Sign in on the login page with PKCE, then exchange the code."),
    ),
    "machine": (
        ("curl_machine", "Any HTTP client: curl", "Ask for an access token."),
        ("python_machine", "Python: requests", "pip install requests, save as get_token.py, run: python get_token.py"),
    ),
}


def snippets_for(kind: str, client: UserPoolClientType, *, issuer: str, base_url: str) -> list[Snippet]:
    """Return the snippets for a kind of application."""
    values = _values(client, issuer=issuer, base_url=base_url)
    folder = importlib.resources.files("poolhouse.console") / "snippets"
    return [
        Snippet(title, intro, Template((folder / f"{name}.txt").read_text()).substitute(values))
        for name, title, intro in CATALOGUE[kind]
    ]


def _values(client: UserPoolClientType, *, issuer: str, base_url: str) -> dict[str, str]:
    callback = (client.callback_urls or ["http://localhost:3000/callback"])[0]
    parts = urlsplit(callback)
    scope = " ".join(client.allowed_oauth_scopes or ())
    port = parts.port or DEFAULT_PORT
    return {
        "issuer": issuer,
        "base_url": base_url,
        "client_id": client.client_id or "",
        "client_secret": client.client_secret or "",
        "callback_json": json.dumps(callback),
        "callback_field": shlex.quote(f"redirect_uri={callback}"),
        "callback_quoted": quote(callback, safe=""),
        "callback_path": parts.path or "/",
        "home_path": "/" if (parts.path or "/") != "/" else "/home",
        "port": str(port),
        "scope": scope,
        "scope_field": shlex.quote(f"scope={scope}"),
        "scope_quoted": quote(scope, safe=""),
    }
