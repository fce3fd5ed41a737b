"""Servers that begin with a seed."""

import contextlib
import copy
import itertools
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Server, make_settings, own_database

POOL_ID, SUB = "us-east-1_People001", "11111111-2222-4333-8444-555555555555"
SECRET = "secretOfTheMachine0123456789"
PASSWORD = "Correct-Horse-1"
TOKEN = "JBSWY3DPEHPK3PXP"
DOCUMENT: dict[str, Any] = {
    "UserPools": [
        {
            "Id": POOL_ID,
            "PoolName": "people",
            "AliasAttributes": ["email"],
            "Schema": [{"Name": "plan", "AttributeDataType": "String"}],
            "Domain": "people",
            "MfaConfig": {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}},
            "ResourceServers": [
                {"Identifier": "api", "Name": "API", "Scopes": [{"ScopeName": "read", "ScopeDescription": "Read"}]}
            ],
            "IdentityProviders": [
                {
                    "ProviderName": "Partner",
                    "ProviderType": "OIDC",
                    "ProviderDetails": {
                        "client_id": "c",
                        "client_secret": "secret-of-the-provider",
                        "authorize_scopes": "openid",
                        "attributes_request_method": "GET",
                        "oidc_issuer": "https://partner.example.org",
                    },
                    "IdpIdentifiers": ["partner.example.org"],
                }
            ],
            "Clients": [
                {
                    "ClientId": "web",
                    "ClientName": "Web",
                    "ExplicitAuthFlows": [
                        "ALLOW_USER_PASSWORD_AUTH",
                        "ALLOW_USER_SRP_AUTH",
                        "ALLOW_REFRESH_TOKEN_AUTH",
                    ],
                    "SupportedIdentityProviders": ["COGNITO", "Partner"],
                    "CallbackURLs": ["https://app.example.org/"],
                    "AllowedOAuthFlows": ["code"],
                    "AllowedOAuthScopes": ["openid", "api/read"],
                    "AllowedOAuthFlowsUserPoolClient": True,
                    "ManagedLoginBranding": {"UseCognitoProvidedValues": True},
                    "Terms": [
                        {
                            "TermsName": name,
                            "TermsSource": "LINK",
                            "Enforcement": "NONE",
                            "Links": {"cognito:default": f"https://example.org/{name}"},
                        }
                        for name in ("terms-of-use", "privacy-policy")
                    ],
                    "UICustomization": {"CSS": ".banner-customizable { background-color: red; }"},
                },
                {
                    "ClientId": "machine",
                    "ClientName": "Machine",
                    "ClientSecret": SECRET,
                    "AllowedOAuthFlows": ["client_credentials"],
                    "AllowedOAuthScopes": ["api/read"],
                    "AllowedOAuthFlowsUserPoolClient": True,
                },
            ],
            "UICustomization": {"CSS": ".banner-customizable { background-color: blue; }"},
            "Groups": [
                {"GroupName": "admins", "Precedence": 1, "Members": ["ann", "bob@example.org"]},
                {"GroupName": "empty", "Description": "nobody"},
            ],
            "Users": [
                {
                    "Username": "ann",
                    "Password": PASSWORD,
                    "UserAttributes": [
                        {"Name": "sub", "Value": SUB},
                        {"Name": "email", "Value": "ann@example.org"},
                        {"Name": "email_verified", "Value": "true"},
                        {"Name": "custom:plan", "Value": "gold"},
                    ],
                    "Identities": [
                        {
                            "ProviderName": "Partner",
                            "ProviderAttributeName": "Cognito_Subject",
                            "ProviderAttributeValue": "ann-at-partner",
                        }
                    ],
                },
                {
                    "Username": "bob",
                    "TemporaryPassword": PASSWORD,
                    "Attributes": [
                        {"Name": "email", "Value": "bob@example.org"},
                        {"Name": "email_verified", "Value": "true"},
                    ],
                },
                {"Username": "carl", "UserStatus": "UNCONFIRMED", "Enabled": False, "Password": PASSWORD},
                {
                    "Username": "tina",
                    "Password": PASSWORD,
                    "SoftwareToken": {"SecretCode": TOKEN, "FriendlyDeviceName": "phone"},
                    "UserMFASettingList": ["SOFTWARE_TOKEN_MFA"],
                    "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
                    "Passkeys": [
                        {
                            "CredentialId": "cGFzc2tleQ",
                            "PublicKey": "a2V5",
                            "SignCount": 3,
                            "RelyingPartyId": "people",
                            "FriendlyCredentialName": "Key",
                            "CreatedAt": 1700000000,
                        }
                    ],
                },
            ],
        }
    ]
}


@pytest.fixture
def document() -> dict[str, Any]:
    """A seed of everything that there is, to be changed at will."""
    return copy.deepcopy(DOCUMENT)


@pytest.fixture
def fresh_database(database_kind: str, tmp_path: pathlib.Path) -> Iterator[Callable[[], str]]:
    """Make an empty database; give its URL."""
    names = (f"{number}.db" for number in itertools.count(1))
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(own_database(database_kind, tmp_path, next(names)))


@pytest.fixture
def write_seed(tmp_path: pathlib.Path) -> Callable[[Any], str]:
    """Write a seed to a file; give its path."""

    def write(document: Any, name: str = "seed.json") -> str:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    return write


@pytest.fixture
def seeded(rsa_keys, fresh_database, write_seed, tmp_path: pathlib.Path) -> Iterator[Callable[..., Server]]:
    """Start a server with a seed, on a database of its own or on a given one."""
    started: list[Server] = []

    def start(document: Any, database: str | None = None, **settings: Any) -> Server:
        server = Server(make_settings(database or fresh_database(), tmp_path, seed=write_seed(document), **settings))
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
