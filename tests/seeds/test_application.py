"""A seed makes what is absent, leaves what is there, and says where it is wrong."""

import asyncio
import base64
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pycognito.aws_srp import AWSSRP

from poolhouse.app import Outside, begin, open_deps
from poolhouse.core.seed import SeedError
from poolhouse.flows.seeds.application import read_plan, rehearse
from poolhouse.settings import Settings
from poolhouse.storage import Tx
from tests.authenticator import one_time_code
from tests.conftest import Server, make_settings, own_database
from tests.operations.talk import named
from tests.seeds.conftest import DOCUMENT, PASSWORD, POOL_ID, SECRET, SUB, TOKEN


def sign_in(server: Server, username: str, password: str = PASSWORD) -> dict[str, Any]:
    return server.boto().initiate_auth(
        ClientId="web", AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": username, "PASSWORD": password}
    )


def sign_in_by_app(server: Server, username: str) -> dict[str, Any]:
    """Sign in with the code of an authenticator app that has the secret of the seed."""
    asked = sign_in(server, username)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    code = one_time_code(TOKEN, server.clock.now() / 1000)
    return server.boto().respond_to_auth_challenge(
        ClientId="web",
        ChallengeName="SOFTWARE_TOKEN_MFA",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": code},
    )


def counts(tx: Tx) -> dict[str, int]:
    return {
        "pools": tx.pools.count("us-east-1"),
        "clients": tx.clients.count(POOL_ID),
        "groups": tx.groups.count(POOL_ID),
        "users": tx.pools.user_count(POOL_ID),
        "providers": tx.identity_providers.count(POOL_ID),
        "servers": tx.resource_servers.count(POOL_ID),
    }


ALL_OF_IT = {"pools": 1, "clients": 2, "groups": 2, "users": 4, "providers": 1, "servers": 1}


def test_everything_is_there_with_its_ids_and_secrets(seeded, document):
    """Pools, clients, users, groups, domains, resource servers, providers and styles are as the file says."""
    server = seeded(document)
    cognito = server.boto()

    pool = cognito.describe_user_pool(UserPoolId=POOL_ID)["UserPool"]
    assert (pool["Name"], pool["Domain"], pool["EstimatedNumberOfUsers"]) == ("people", "people", 4)
    assert "custom:plan" in [entry["Name"] for entry in pool["SchemaAttributes"]]
    machine = cognito.describe_user_pool_client(UserPoolId=POOL_ID, ClientId="machine")["UserPoolClient"]
    assert machine["ClientSecret"] == SECRET
    ann = cognito.admin_get_user(UserPoolId=POOL_ID, Username="ann@example.org")
    attributes = named(ann["UserAttributes"])
    assert '"userId":"ann-at-partner"' in attributes.pop("identities")
    assert attributes == {
        "sub": SUB,
        "email": "ann@example.org",
        "email_verified": "true",
        "custom:plan": "gold",
    }
    members = cognito.list_users_in_group(UserPoolId=POOL_ID, GroupName="admins")["Users"]
    assert [user["Username"] for user in members] == ["ann", "bob"]
    provider = cognito.describe_identity_provider(UserPoolId=POOL_ID, ProviderName="Partner")["IdentityProvider"]
    assert provider["ProviderDetails"]["client_secret"] == "secret-of-the-provider"
    branding = cognito.describe_managed_login_branding_by_client(UserPoolId=POOL_ID, ClientId="web")
    assert branding["ManagedLoginBranding"]["UseCognitoProvidedValues"] is True
    assert len(cognito.list_terms(UserPoolId=POOL_ID, MaxResults=10)["Terms"]) == 2
    css = [
        cognito.get_ui_customization(UserPoolId=POOL_ID, ClientId=name)["UICustomization"]["CSS"]
        for name in ("web", "machine")
    ]
    assert [text.split()[3] for text in css] == ["red;", "blue;"]
    assert server.read(counts) == ALL_OF_IT


def test_people_sign_in(seeded, document):
    """Passwords in plain prove themselves, by SRP too; a temporary one asks for another, a disabled user stays out."""
    server = seeded(document)

    tokens = sign_in(server, "ann")["AuthenticationResult"]
    claims = jwt.decode(tokens["IdToken"], options={"verify_signature": False})
    assert (claims["sub"], claims["cognito:groups"], claims["aud"]) == (SUB, ["admins"], "web")
    srp = AWSSRP(username="ann", password=PASSWORD, pool_id=POOL_ID, client_id="web", client=server.boto())
    assert srp.authenticate_user()["AuthenticationResult"]["IdToken"]
    assert sign_in(server, "bob")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert sign_in_by_app(server, "tina")["AuthenticationResult"]["IdToken"]
    carl = server.boto().admin_get_user(UserPoolId=POOL_ID, Username="carl")
    assert (carl["UserStatus"], carl["Enabled"]) == ("UNCONFIRMED", False)
    answer = httpx.post(
        f"{server.url}/auth/people/oauth2/token", data={"grant_type": "client_credentials"}, auth=("machine", SECRET)
    )
    assert answer.status_code == 200


def test_applying_twice_changes_and_overwrites_nothing(seeded, document, fresh_database):
    """Another start leaves what was changed since, and makes only what the file has more."""
    database = fresh_database()
    server = seeded(document, database)
    cognito = server.boto()
    cognito.admin_set_user_password(UserPoolId=POOL_ID, Username="ann", Password="Battery-Staple-2", Permanent=True)
    cognito.update_group(UserPoolId=POOL_ID, GroupName="admins", Description="changed")
    before = cognito.describe_user_pool(UserPoolId=POOL_ID)["UserPool"]
    server.stop()

    again = seeded(document, database)
    assert again.read(counts) == ALL_OF_IT
    assert again.boto().describe_user_pool(UserPoolId=POOL_ID)["UserPool"] == before
    assert again.boto().get_group(UserPoolId=POOL_ID, GroupName="admins")["Group"]["Description"] == "changed"
    assert "AuthenticationResult" in sign_in(again, "ann", "Battery-Staple-2")
    again.stop()

    document["UserPools"][0]["PoolName"] = "renamed"
    document["UserPools"][0]["Users"].append({"Username": "dora", "Password": PASSWORD})
    third = seeded(document, database)
    assert third.read(counts) == ALL_OF_IT | {"users": 5}
    assert third.boto().describe_user_pool(UserPoolId=POOL_ID)["UserPool"]["Name"] == "people"
    assert "AuthenticationResult" in sign_in(third, "dora")


def test_starters_at_once_apply_it_once(rsa_keys, document, fresh_database, write_seed, tmp_path):
    """Several nodes that start at the same time all start, and everything is there once."""
    settings = make_settings(fresh_database(), tmp_path, seed=write_seed(document))

    async def start() -> dict[str, int]:
        async with open_deps(settings, Outside()) as deps:
            await begin(settings, deps)
            return await deps.store.read(counts)

    async def all_at_once():
        return await asyncio.gather(*(start() for _ in range(4)))

    assert asyncio.run(all_at_once()) == [ALL_OF_IT] * 4


def breaking(**changes: Any):
    """Change the pool of the document: ``Users__1__Password`` names a place in it."""

    def change(document: dict[str, Any]) -> None:
        for path, value in changes.items():
            *way, last = [int(part) if part.isdecimal() else part for part in path.split("__")]
            at: Any = document["UserPools"][0]
            for part in way:
                at = at[part]
            if isinstance(at, list):
                at.append(value)
            else:
                at[last] = value

    return change


OTHER = {"Id": "us-east-1_Other001", "PoolName": "other"}
EXPORTED = "$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2g$YWJjZGVmZ2hpamtsbW5vcA"
HALF = "An identity must have ProviderName and ProviderAttributeValue"
NO_SUCH = "Attribute does not exist in the schema"
WRONG = {
    "a weak password": (
        breaking(Users__0__Password="weak"),
        "UserPools[0].Users[0] (ann): Password did not conform with policy: Password not long enough.",
    ),
    "two passwords": (
        breaking(Users__0__PasswordHash=EXPORTED),
        "UserPools[0].Users[0] (ann): Only one of Password, TemporaryPassword and PasswordHash can be given.",
    ),
    "a hash of another kind": (
        breaking(Users__0__Password=None, Users__0__PasswordHash="$2b$12$abcdefghijklmnopqrstuu"),
        "UserPools[0].Users[0] (ann): PasswordHash and PasswordHistory take Argon2id strings.",
    ),
    "half a verifier": (
        breaking(Users__0__Password=None, Users__0__PasswordHash=EXPORTED, Users__0__SrpSalt="ab"),
        "UserPools[0].Users[0] (ann): SrpSalt and SrpVerifier go together, and with a PasswordHash.",
    ),
    "a status that does not fit": (
        breaking(Users__1__UserStatus="CONFIRMED"),
        "UserPools[0].Users[1] (bob): A user with a TemporaryPassword has the UserStatus FORCE_CHANGE_PASSWORD.",
    ),
    "an attribute that is not in the schema": (
        breaking(Users__0__UserAttributes__x={"Name": "custom:size", "Value": "1"}),
        f"UserPools[0].Users[0] (ann): Attributes did not conform to the schema: custom:size: {NO_SUCH}.",
    ),
    "a sub that is no UUID": (
        breaking(Users__1__Attributes__x={"Name": "sub", "Value": "bob"}),
        "UserPools[0].Users[1] (bob): The attribute sub must be a UUID in lower case.",
    ),
    "an alias of somebody else": (
        breaking(Users__1__Attributes__x={"Name": "email", "Value": "ann@example.org"}),
        "UserPools[0].Users[1] (bob): An account with the given email already exists.",
    ),
    "an identity of another user": (
        breaking(Users__2__Identities=DOCUMENT["UserPools"][0]["Users"][0]["Identities"]),
        "UserPools[0].Users[2].Identities[0] (Partner): The identity belongs to another user.",
    ),
    "an identity at a provider that is not there": (
        breaking(Users__2__Identities=[{"ProviderName": "Nobody"}]),
        f"UserPools[0].Users[2].Identities[0] (Nobody): The provider Nobody does not exist for User Pool {POOL_ID}.",
    ),
    "half an identity": (
        breaking(Users__2__Identities=[{"ProviderName": "Partner", "ProviderAttributeName": "Cognito_Subject"}]),
        "UserPools[0].Users[2].Identities[0] (Partner): An identity must have ProviderName and ProviderAttributeValue.",
    ),
    "a factor without its token": (
        breaking(Users__0__UserMFASettingList=["SOFTWARE_TOKEN_MFA"]),
        "UserPools[0].Users[0] (ann): SOFTWARE_TOKEN_MFA needs a SoftwareToken.",
    ),
    "a factor that is none": (
        breaking(Users__0__UserMFASettingList=["PASSWORD_VERIFIER"]),
        "UserPools[0].Users[0] (ann): PASSWORD_VERIFIER is no second factor.",
    ),
    "a preference for what is not enabled": (
        breaking(Users__3__PreferredMfaSetting="SMS_MFA"),
        "UserPools[0].Users[3] (tina): SMS_MFA cannot be the preferred MFA method unless it is enabled.",
    ),
    "a token that is no base32": (
        breaking(Users__3__SoftwareToken={"SecretCode": "not base32"}),
        "UserPools[0].Users[3] (tina): SecretCode must be 10 bytes or more, in base32.",
    ),
    "a member who is nobody": (
        breaking(Groups__1__Members=["zoe"]),
        "UserPools[0].Groups[1].Members[0] (zoe): There is no user of that name.",
    ),
    "a scope that does not exist": (
        breaking(Clients__1__AllowedOAuthScopes=["api/write"]),
        "UserPools[0].Clients[1] (machine): Scope api/write does not exist.",
    ),
    "secrets that disagree": (
        breaking(Clients__1__ClientSecrets=[{"ClientSecretValue": "another0secret0of0the0machine"}]),
        "UserPools[0].Clients[1] (machine): ClientSecret is none of ClientSecrets.",
    ),
    "the same user twice": (
        breaking(Users__x={"Username": "ann"}),
        "UserPools[0].Users: the Username ann is there twice.",
    ),
    "another pool's id in a part": (
        breaking(Groups__1__UserPoolId="us-east-1_Other001"),
        f"UserPools[0].Groups[1] (empty): UserPoolId is not that of the user pool it is in, {POOL_ID}.",
    ),
    "two forms of a schema": (
        breaking(SchemaAttributes=[{"Name": "name"}]),
        f"UserPools[0] ({POOL_ID}): Schema and SchemaAttributes cannot both be given.",
    ),
    "a pool without a name": (breaking(PoolName=None), f"UserPools[0] ({POOL_ID}): PoolName is missing."),
    "a reserved domain": (
        breaking(Domain="amazonas"),
        "UserPools[0].Domains[0] (amazonas): Domain cannot contain reserved word: amazon.",
    ),
    "a domain of another pool": (
        lambda document: document["UserPools"].append(OTHER | {"Domain": "people"}),
        "UserPools[1].Domains[0] (people): Domain already associated with another user pool.",
    ),
    "a client of another pool": (
        lambda document: document["UserPools"].append(OTHER | {"Clients": [{"ClientId": "web", "ClientName": "w"}]}),
        "Clients: the ClientId web is there twice.",
    ),
    "the operators' pool": (
        lambda document: document["UserPools"].append({"Id": "us-east-1_Operators", "PoolName": "x"}),
        "UserPools[1] (us-east-1_Operators): The pool of the console's operators is not for a seed.",
    ),
    "a key that is none": (
        breaking(SigningKeys=[{"Use": "id", "PrivateKey": "x"}]),
        "UserPools[0].SigningKeys[0].PrivateKey: it is no private key in PEM without a password.",
    ),
    "a style without a domain": (
        breaking(Domain=None),
        "UserPools[0].UICustomization (ALL): There has to be an existing domain associated with this user pool.",
    ),
}


@pytest.fixture(scope="module")
def one_database(database_kind: str, tmp_path_factory):
    """A database that nothing of a wrong seed gets into."""
    with own_database(database_kind, tmp_path_factory.mktemp("wrong")) as url:
        yield url


def outcomes(settings: Settings) -> list[Any]:
    """What a start and a rehearsal are refused with, and how many pools there are afterwards."""

    async def start() -> list[Any]:
        async with open_deps(settings, Outside()) as deps:
            told = []
            for attempt in (begin(settings, deps), _rehearse(settings, deps)):
                with pytest.raises(SeedError) as refused:
                    await attempt
                told.append(str(refused.value))
            return [*told, await deps.store.read(lambda tx: tx.pools.count("us-east-1"))]

    return asyncio.run(start())


@pytest.mark.any_database
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_seed_keeps_the_server_from_starting(rsa_keys, document, one_database, write_seed, tmp_path, wrong):
    """Start fails with a sentence that names the place, nothing is half applied, and a rehearsal says the same."""
    change, told = WRONG[wrong]
    change(document)
    settings = make_settings(one_database, tmp_path, seed=write_seed(document))

    sentence = f"The seed {settings.seed}: {told}"
    assert outcomes(settings) == [sentence, sentence, 0]


def test_nothing_is_half_applied(rsa_keys, document, fresh_database, write_seed, tmp_path):
    """What fails last leaves nothing of what went before, on either database."""
    change, told = WRONG["a member who is nobody"]
    change(document)
    settings = make_settings(fresh_database(), tmp_path, seed=write_seed(document))

    sentence = f"The seed {settings.seed}: {told}"
    assert outcomes(settings) == [sentence, sentence, 0]


async def _rehearse(settings, deps):
    return await rehearse(deps, read_plan(settings.seed))


@pytest.mark.any_database
def test_a_file_that_cannot_be_read(tmp_path):
    """A missing file, a folder and bytes that are no text are told as such."""
    told = []
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "bytes"):
        with pytest.raises(SeedError) as refused:
            read_plan(str(path))
        told.append(str(refused.value).removeprefix(f"The seed {path}: "))
    assert told == [
        "it cannot be read: No such file or directory.",
        "it cannot be read: Is a directory.",
        "it is not a text file.",
    ]


def pem(private: Any) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.any_database
def test_pinned_keys_sign_in_every_installation(seeded, document):
    """Two installations with the same pinned keys publish the same documents and take each other's for granted."""
    private = rsa.generate_private_key(65537, 2048)
    keys = [{"Use": use, "PrivateKey": pem(private)} for use in ("id", "access")]
    document["UserPools"][0]["SigningKeys"] = keys
    first, second = seeded(document), seeded(document)

    published = [httpx.get(f"{each.url}/{POOL_ID}/.well-known/jwks.json").json() for each in (first, second)]
    assert published[0] == published[1]
    assert len({key["kid"] for key in published[0]["keys"]}) == 2
    assert {len(base64.b64decode(key["kid"])) for key in published[0]["keys"]} == {32}
    tokens = sign_in(first, "ann")["AuthenticationResult"]
    for token in (tokens["IdToken"], tokens["AccessToken"]):
        key = next(each for each in published[1]["keys"] if each["kid"] == jwt.get_unverified_header(token)["kid"])
        claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], options={"verify_aud": False})
        assert claims["sub"] == SUB


@pytest.mark.any_database
@pytest.mark.parametrize("private", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)])
def test_other_keys_do_not_sign(rsa_keys, document, write_seed, tmp_path, private):
    """An elliptic key and a short RSA key are refused."""
    document["UserPools"][0]["SigningKeys"] = [{"Use": "access", "PrivateKey": pem(private)}]
    settings = make_settings(f"sqlite:///{tmp_path}/x.db", tmp_path, seed=write_seed(document))

    async def start() -> None:
        async with open_deps(settings, Outside()) as deps:
            await begin(settings, deps)

    with pytest.raises(SeedError, match=r"SigningKeys\[0\].PrivateKey: it is no RSA key of 2048 bits or more\.$"):
        asyncio.run(start())


@pytest.mark.any_database
def test_what_describe_answers_is_a_seed(seeded, document, pool, app, call):
    """Answers of Describe, Get and List operations can be pasted, under the names that they have there."""
    pool_id = pool(
        UsernameAttributes=["email"], Schema=[{"Name": "plan", "AttributeDataType": "String", "Mutable": True}]
    )
    client = app(pool_id)
    call("AdminCreateUser", UserPoolId=pool_id, Username="eve@example.org", MessageAction="SUPPRESS")
    seconds = lambda answer: {
        name: value.timestamp() if hasattr(value, "timestamp") else value for name, value in answer.items()
    }
    described = seconds(call("DescribeUserPool", UserPoolId=pool_id)["UserPool"])
    user = seconds(call("ListUsers", UserPoolId=pool_id)["Users"][0])
    server = seeded({"UserPools": [described | {"Clients": [seconds(client)], "Users": [user]}]})
    cognito = server.boto()

    assert seconds(cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]) == described
    assert seconds(cognito.list_users(UserPoolId=pool_id)["Users"][0]) == user
    found = cognito.admin_get_user(UserPoolId=pool_id, Username="eve@example.org")
    assert found["Username"] == user["Username"]


@pytest.mark.any_database
def test_a_pool_is_in_the_region_of_its_id(seeded):
    """A pool answers in the Region that its id begins with, and in no other."""
    server = seeded({"UserPools": [{"Id": "eu-central-1_People001", "PoolName": "people"}]})

    pools = {
        region: server.boto(region_name=region).list_user_pools(MaxResults=10)["UserPools"]
        for region in ("eu-central-1", "us-east-1")
    }
    assert [pool["Id"] for pool in pools["eu-central-1"]] == ["eu-central-1_People001"]
    assert pools["us-east-1"] == []
