"""Whatever is sent, the answer is one that the operation declares (ARCHITECTURE §14)."""

import base64
import hmac
import json
import os
import re

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import poolhouse.api.operations  # noqa: F401 - fills the registry
from poolhouse.api.registry import HANDLERS
from poolhouse.model import OPERATIONS, Access
from tests.conftest import PASSWORD
from tests.wire.answers import check
from tests.wire.client import RawClient
from tests.wire.values import documents

SETTINGS = settings(
    max_examples=int(os.environ.get("POOLHOUSE_EXAMPLES", "12")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

WILD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "\0",
            "a\0b",
            "\u200b",
            "\u202e",
            "\ufeff",
            "İ",
            "ß",
            "é",
            "😀" * 3,
            "'; DROP TABLE users; --",
            "%",
            "_",
            "{####}",
            "{username}",
            "../..",
            "a@b",
            "@",
            "+",
            "+1",
            "+15555550100",
            "²",
            "١٢",
            "1_0",
            " 1",
            "NaN",
            "Infinity",
            "1e400",
            "0x10",
            "2024-02-30",
            "true",
            "-1",
            "1e9",
            "9" * 30,
            "x" * 2048,
            "custom:",
            "custom:a",
            "dev:custom:a",
            "sub",
            "email",
            "email_verified",
            "phone_number",
            "cognito:user_status",
            'name = "a"',
            'email ^= "',
            'sub = "\\"',
            "http://",
            "https://a/#b",
            "myapp://x",
            "javascript:alert(1)",
            "eyJ.e30.x",
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, -(2**31) - 1, 2**63, 10**40]),
    WILD,
    st.floats(allow_nan=False, allow_infinity=False),
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WILD, inner, max_size=3), max_leaves=6
)
BYTES = st.sampled_from(
    [
        b"",
        b" ",
        b"{",
        b"}",
        b"[]",
        b"null",
        b"0",
        b'""',
        b"\xff",
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b"[" * 3000,
        b'{"a":' * 3000,
        b'{"Settings":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
    ]
)


# What the free-form maps of these members are asked for.
MAPS = {
    "AuthParameters": ["USERNAME", "PASSWORD", "SRP_A", "SECRET_HASH", "REFRESH_TOKEN", "PREFERRED_CHALLENGE"],
    "ProviderDetails": [
        *("client_id", "client_secret", "authorize_scopes", "attributes_request_method", "oidc_issuer"),
        *("MetadataFile", "MetadataURL"),
    ],
    "AttributeMapping": ["email", "username"],
    "ChallengeResponses": [
        "USERNAME",
        "NEW_PASSWORD",
        "PASSWORD",
        "PASSWORD_CLAIM_SIGNATURE",
        "PASSWORD_CLAIM_SECRET_BLOCK",
        "TIMESTAMP",
        "ANSWER",
        "SECRET_HASH",
        "userAttributes.email",
    ],
}


def secret_hash(name: str, client: dict[str, str]) -> str:
    text = (name + client["ClientId"]).encode()
    return base64.b64encode(hmac.digest(client["ClientSecret"].encode(), text, "sha256")).decode()


class Known:
    """Things that exist, so that requests reach further than the first look-up."""

    def __init__(self, call, pool, app, user) -> None:
        self.pool_id = pool(
            Schema=[
                {"Name": name, "AttributeDataType": kind, "Mutable": True}
                for name, kind in (("a", "String"), ("n", "Number"), ("d", "DateTime"), ("b", "Boolean"))
            ],
            AliasAttributes=["email"],
            AutoVerifiedAttributes=["email"],
        )
        secretive = app(self.pool_id, GenerateSecret=True)
        self.client_id = app(self.pool_id)["ClientId"]
        self.name = user(self.pool_id, email="ann@example.com", email_verified="true")
        call("CreateResourceServer", UserPoolId=self.pool_id, Identifier="api", Name="api")
        call("CreateGroup", UserPoolId=self.pool_id, GroupName="staff")
        call(
            "CreateIdentityProvider",
            UserPoolId=self.pool_id,
            ProviderName="Partner",
            ProviderType="SAML",
            ProviderDetails={"MetadataURL": "https://idp.example/metadata"},
            IdpIdentifiers=["partner.example"],
        )
        parameters = {"USERNAME": self.name, "PASSWORD": PASSWORD}
        result = call(
            "InitiateAuth", AuthFlow="USER_PASSWORD_AUTH", ClientId=self.client_id, AuthParameters=parameters
        )["AuthenticationResult"]
        user(self.pool_id, "temporary", password=None)
        call("AdminSetUserPassword", UserPoolId=self.pool_id, Username="temporary", Password=PASSWORD, Permanent=False)
        session = call(
            "InitiateAuth",
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=self.client_id,
            AuthParameters=parameters | {"USERNAME": "temporary"},
        )["Session"]
        self.spent = False
        self._values = {
            "UserPoolId": [self.pool_id],
            "ClientId": [self.client_id, secretive["ClientId"]],
            "ClientSecret": [secretive["ClientSecret"]],
            "Username": [self.name, "temporary", "ann@example.com", "ANN@example.com"],
            "Identifier": ["api"],
            "GroupName": ["staff"],
            "ProviderName": ["Partner", "Google"],
            "IdpIdentifier": ["partner.example"],
            "AccessToken": [result["AccessToken"]] * 4 + [result["IdToken"]],
            "Token": [result["RefreshToken"], result["AccessToken"]],
            "RefreshToken": [result["RefreshToken"]],
            "Session": [session],
            "Password": [PASSWORD],
            "PreviousPassword": [PASSWORD],
            "ProposedPassword": [PASSWORD + "x"],
            "ResourceArn": [f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{self.pool_id}"],
            "AttributeName": ["email", "custom:a"],
            "Filter": ['email = "ann@example.com"', 'username ^= ""', 'sub = "a', 'status = "Enabled"', '"'],
            "SecretHash": [secret_hash(self.name, secretive), secret_hash("temporary", secretive)],
            "SECRET_HASH": [secret_hash(self.name, secretive), secret_hash("temporary", secretive)],
            "Name": ["email", "custom:a", "custom:n", "custom:d", "custom:b", "name", "sub", "birthdate", "updated_at"],
            "USERNAME": [self.name, "temporary"],
            "PASSWORD": [PASSWORD],
            "NEW_PASSWORD": [PASSWORD],
            "SRP_A": ["0", "1", "f" * 768, "ab" * 300],
            "REFRESH_TOKEN": [result["RefreshToken"]],
        }

    def request(self, draw, operation: str, document: dict[str, object]) -> dict[str, object]:
        """A request that refers to things that exist."""
        for field in msgspec.structs.fields(OPERATIONS[operation].request):
            keys = MAPS.get(field.encode_name)
            if keys and draw(st.integers(0, 9)):
                left_out = draw(st.sets(st.sampled_from(keys), max_size=2))
                document |= {field.encode_name: {key: draw(WILD) for key in keys if key not in left_out}}
        return self._filled(draw, document)

    def _filled(self, draw, document: object) -> object:
        """Put things that exist into most of the places where they belong, and wild texts into a few."""
        if isinstance(document, list):
            return [self._filled(draw, member) for member in document]
        if not isinstance(document, dict):
            return document
        filled = {}
        for name, member in document.items():
            choice = draw(st.integers(0, 9))
            if name in self._values and choice < 8:
                filled[name] = draw(st.sampled_from(self._values[name]))
            elif isinstance(member, str) and choice == 9:
                filled[name] = draw(WILD)
            else:
                filled[name] = self._filled(draw, member)
        return filled


READING = re.compile(r"(?:Admin)?(?:Describe|Get|List)(?!.*(?:Token|VerificationCode))")


WAYS = ("right", "wrong", "hardly JSON")


@pytest.fixture(scope="module")
def unspent() -> dict[tuple[str, str], Known]:
    """The things that requests found as they were made and left so, by database and by way to go wrong."""
    return {}


@pytest.fixture
def known(unspent: dict[tuple[str, str], Known], database_kind: str, call, pool, app, user) -> dict[str, Known]:
    """Things that no request has changed, for each way. Making them takes long, so they serve until a request does."""
    for way in WAYS:
        if (database_kind, way) not in unspent or unspent[database_kind, way].spent:
            unspent[database_kind, way] = Known(call, pool, app, user)
    return {way: unspent[database_kind, way] for way in WAYS}


def send(raw: RawClient, known: Known, operation: str, body: bytes) -> None:
    administrative = OPERATIONS[operation].access is Access.ADMIN
    answer = raw.signed(operation, body) if administrative else raw.post(operation, body)
    # What asks for a proof may change something although it refuses: it counts failures and ends sessions.
    proof = not administrative or "Auth" in operation
    if not READING.match(operation) and (proof or answer.status == 200):
        known.spent = True
    check(operation, answer, body)


def broken(draw, document: dict[str, object]) -> bytes:
    """A request with wrong types, nulls, wild texts, unknown members."""
    for name in draw(st.lists(st.sampled_from([*document, "Unknown"]), min_size=1, max_size=3)):
        document[name] = draw(ANYTHING)
    return json.dumps(document).encode()


def mangled(draw, document: dict[str, object]) -> bytes:
    """A request that is cut, or has foreign bytes in it or instead of it."""
    body = json.dumps(document, ensure_ascii=False).encode()
    cut = draw(st.integers(0, len(body)))
    return draw(
        st.one_of(
            st.just(body[:cut]),
            BYTES,
            st.binary(max_size=20),
            st.binary(max_size=3).map(lambda bad: body[:cut] + bad + body[cut:]),
        )
    )


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_any_request(operation: str, raw: RawClient, known: dict[str, Known]) -> None:
    """A request that satisfies every constraint of the model succeeds or is refused in the operation's own terms.

    So is one of a wrong shape, and one that is hardly JSON, in the terms of the protocol.
    Each of the three has things of its own to refer to; drawing the document that all begin with takes the longest.
    """

    @SETTINGS
    @given(documents(OPERATIONS[operation].request), st.data())
    def run(document: dict[str, object], data: st.DataObject) -> None:
        right, wrong, hardly = (known[way].request(data.draw, operation, dict(document)) for way in WAYS)
        send(raw, known["right"], operation, json.dumps(right).encode())
        send(raw, known["wrong"], operation, broken(data.draw, wrong))
        send(raw, known["hardly JSON"], operation, mangled(data.draw, hardly))

    run()


def test_any_authorization_header(raw: RawClient) -> None:
    """Whatever stands in the header, the answer is about signatures."""

    @SETTINGS
    @given(st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"])))
    @example("AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;;,Signature=é")
    def run(authorization: str) -> None:
        headers = raw.headers("ListUserPools") | {"Authorization": authorization}
        answer = raw.send("POST", headers, b"{}")
        check("ListUserPools", answer, authorization.encode())
        assert answer.status == 400

    run()
