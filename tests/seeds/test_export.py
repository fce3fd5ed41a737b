"""An exported seed makes an empty database answer as the one it came from."""

import json
import pathlib
import stat
from typing import Any

import httpx
import jwt
import pytest
from pycognito.aws_srp import AWSSRP

from poolhouse.core.federation import Assertion
from tests.conftest import Server
from tests.flows.test_federation import arrive_at
from tests.operations.test_provider_links import OIDC
from tests.seeds.conftest import PASSWORD, POOL_ID, SECRET
from tests.seeds.test_application import sign_in_by_app
from tests.test_cli import command, settings_for  # noqa: F401 - a fixture


def exported(command, server: Server, *words: str) -> dict[str, Any]:  # noqa: F811
    """What ``poolhouse seed export`` writes of a server's database."""
    said = command("seed", "export", *words, **settings_for(server))
    assert said.code == 0, said.err
    assert "holds secrets" in said.err
    return json.loads(said.out)


def test_a_seed_of_a_seed_is_the_same(command, seeded, document):  # noqa: F811
    """What was exported and applied to an empty database is exported as before, down to the signing keys."""
    first = exported(command, seeded(document), "--signing-keys")
    second = exported(command, seeded(first), "--signing-keys")

    assert second == first
    assert [pool["Id"] for pool in first["UserPools"]] == [POOL_ID]


def test_people_and_clients_prove_themselves_as_before(command, seeded, document):  # noqa: F811
    """Passwords sign in, by SRP as well, client secrets hold, and a temporary password is still one."""
    origin = seeded(document)
    cognito = origin.boto()
    cognito.add_user_pool_client_secret(
        UserPoolId=POOL_ID, ClientId="machine", ClientSecret="secondSecretOfTheMachine00"
    )
    server = seeded(exported(command, origin))
    public = server.boto()

    srp = AWSSRP(username="ann", password=PASSWORD, pool_id=POOL_ID, client_id="web", client=public)
    tokens = srp.authenticate_user()["AuthenticationResult"]
    assert jwt.decode(tokens["AccessToken"], options={"verify_signature": False})["cognito:groups"] == ["admins"]
    for name, challenge in (("ann", None), ("bob", "NEW_PASSWORD_REQUIRED")):
        given = {"USERNAME": name, "PASSWORD": PASSWORD}
        answer = public.initiate_auth(ClientId="web", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
        assert answer.get("ChallengeName") == challenge
    assert sign_in_by_app(server, "tina")["AuthenticationResult"]["IdToken"]
    for secret in (SECRET, "secondSecretOfTheMachine00"):
        asked = {"grant_type": "client_credentials"}
        url = f"{server.url}/auth/people/oauth2/token"
        assert httpx.post(url, data=asked, auth=("machine", secret)).status_code == 200


@pytest.mark.any_database
def test_every_setting_comes_back(command, seeded, call, server, pool, app, user):  # noqa: F811
    """Settings that only later requests make, odd names, and users of e-mail pools survive the way."""
    pool_id = pool(
        UsernameAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        MfaConfiguration="OFF",
        Policies={"PasswordPolicy": {"MinimumLength": 10, "PasswordHistorySize": 3}},
        AutoVerifiedAttributes=["email"],
        UserAttributeUpdateSettings={"AttributesRequireVerificationBeforeUpdate": ["email"]},
        AccountRecoverySetting={"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]},
        UserPoolTags={"team": "a"},
        Schema=[{"Name": "name", "Required": True, "Mutable": True}],
    )
    for name in ("plan", "size"):
        extra = [{"Name": name, "AttributeDataType": "Number", "NumberAttributeConstraints": {"MaxValue": "9"}}]
        call("AddCustomAttributes", UserPoolId=pool_id, CustomAttributes=extra)
    call(
        "AddCustomAttributes",
        UserPoolId=pool_id,
        CustomAttributes=[{"Name": "note", "AttributeDataType": "String", "DeveloperOnlyAttribute": True}],
    )
    call(
        "SetUserPoolMfaConfig",
        UserPoolId=pool_id,
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    call(
        "CreateResourceServer",
        UserPoolId=pool_id,
        Identifier="gone",
        Name="gone",
        Scopes=[{"ScopeName": "x", "ScopeDescription": "x"}],
    )
    client = app(pool_id, GenerateSecret=True, AllowedOAuthScopes=["gone/x", "openid"], RefreshTokenValidity=0)
    call("DeleteResourceServer", UserPoolId=pool_id, Identifier="gone")
    own, limit = {"UserPoolId": pool_id, "ClientId": client["ClientId"]}, {"MaxValidityMinutes": 7}
    for tracking in ("ENABLED", "DISABLED"):
        most = {"UserSessionTracking": tracking, "TokenSession": {"MaxPerUser": 3}}
        call("SetUserPoolSessionConfiguration", UserPoolId=pool_id, **most)
        if tracking == "ENABLED":
            call("SetUserPoolClientSessionConfiguration", **own, SSOSession=limit)
    call(
        "CreateUserPoolDomain",
        UserPoolId=pool_id,
        Domain="login.export.example.org",
        CustomDomainConfig={"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/x"},
        ManagedLoginVersion=2,
    )
    name = user(pool_id, "Eve@example.org", password="Correct-Horse-10", email_verified="true")
    call("AdminDisableUser", UserPoolId=pool_id, Username=name)
    members = {"ProviderType": "OIDC", "ProviderDetails": OIDC, "AttributeMapping": {"email": "email", "name": "name"}}
    call("CreateIdentityProvider", UserPoolId=pool_id, ProviderName="Partner", **members)
    told = Assertion(id_token={"sub": "AbC", "email": "eve@example.org", "name": "Eve"})
    server.run(arrive_at(server, client["ClientId"], "Partner", told))
    other = seeded(exported(command, server, pool_id))

    def answers(cognito) -> list[Any]:
        found = [
            cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"],
            cognito.get_user_pool_mfa_config(UserPoolId=pool_id),
            cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=client["ClientId"])["UserPoolClient"],
            cognito.admin_get_user(UserPoolId=pool_id, Username="eve@example.org"),
            cognito.admin_get_user(UserPoolId=pool_id, Username="partner_abc"),
            cognito.describe_user_pool_domain(Domain="login.export.example.org")["DomainDescription"],
            cognito.get_user_pool_session_configuration(UserPoolId=pool_id),
            cognito.get_user_pool_client_session_configuration(**own),
        ]
        for each in found:
            each.pop("ResponseMetadata", None)
        for member in ("Version", "CloudFrontDistribution"):
            found[5].pop(member)
        return found

    before, after = answers(server.boto()), answers(other.boto())
    assert before[2].pop("AllowedOAuthScopes") == ["gone/x", "openid"]
    assert after[2].pop("AllowedOAuthScopes") == ["openid"]
    assert after == before


@pytest.mark.any_database
def test_the_file_is_private(command, seeded, document, tmp_path: pathlib.Path):  # noqa: F811
    """The file that export writes is its owner's alone, is not written over, and holds no signing keys unasked."""
    server, file = seeded(document), tmp_path / "out.json"
    said = command("seed", "export", "--output", str(file), **settings_for(server))

    assert (said.code, said.out) == (0, "")
    assert f"{file} holds secrets" in said.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "PRIVATE KEY" not in file.read_text()
    again = command("seed", "export", "--output", str(file))
    assert (again.code, again.err) == (1, f"poolhouse: {file} exists; choose another name\n")
    unknown = command("seed", "export", "us-east-1_Nowhere")
    assert unknown.err == "poolhouse: User pool us-east-1_Nowhere does not exist.\n"
    assert command("seed", "export", "us-east-1_Operators").code == 1


@pytest.mark.any_database
def test_apply_and_check_beside_a_running_server(command, own_server, document, write_seed):  # noqa: F811
    """The command makes what is absent while the server runs, ``check`` tries without making, both tell what is wrong."""
    path = write_seed(document)
    told = command("check", SEED=path, **settings_for(own_server))
    assert "seed        ok (a start will make 21 things)\n" in told.out
    applied = command("seed", "apply", path, **settings_for(own_server))
    assert applied.out.startswith(f"Made UserPools[0] ({POOL_ID}).\n")
    assert len(applied.out.splitlines()) == 21
    assert own_server.boto().admin_get_user(UserPoolId=POOL_ID, Username="ann")["UserStatus"] == "CONFIRMED"
    assert command("seed", "apply", path).out == "Everything was there already.\n"
    assert "seed        ok (a start will make 0 things)\n" in command("check").out

    document["UserPools"][0]["Users"].append({"Username": "dora", "Password": "weak"})
    path = write_seed(document)
    sentence = (
        f"poolhouse: The seed {path}: UserPools[0].Users[4] (dora): "
        "Password did not conform with policy: Password not long enough.\n"
    )
    for words in (("seed", "apply", path), ("check",)):
        said = command(*words)
        assert (said.code, said.err) == (1, sentence)
