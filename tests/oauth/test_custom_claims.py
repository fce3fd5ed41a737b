"""What a function makes of the tokens of the OAuth endpoints: the rows K13 to K18 and T29 of spec/http/09."""

import base64
import hashlib
from typing import Any

from tests.oauth.conftest import CALLBACK, Site, claims, fragment


def listen(site: Site, arn: str, version: str) -> None:
    """Have a function asked about tokens."""
    config = {"PreTokenGenerationConfig": {"LambdaArn": arn, "LambdaVersion": version}}
    site.call("UpdateUserPool", UserPoolId=site.pool_id, LambdaConfig=config, AutoVerifiedAttributes=["email"])


def replying(**response: Any):
    """A function that fills this in."""
    return lambda event, _: event | {"response": response}


def test_k13_k15_k16_the_first_version(site: Site, functions):
    """V1_0 adds claims to the ID token only, changes none that are fixed, and takes groups away."""
    group = {"UserPoolId": site.pool_id, "GroupName": "staff"}
    site.call("CreateGroup", **group)
    site.call("AdminAddUserToGroup", **group, Username=site.username)
    assert claims(site.tokens()["id_token"])["cognito:groups"] == ["staff"]
    add = {"a": "1", "iss": "x", "sub": "x", "exp": "1", "nonce": "x", "at_hash": "x"}
    details = {"claimsToAddOrOverride": add, "groupOverrideDetails": {}}
    arn = functions.add(replying(claimsOverrideDetails=details))
    listen(site, arn, "V1_0")
    made = site.tokens(nonce="n")
    identity, access = claims(made["id_token"]), claims(made["access_token"])
    assert (identity["a"], identity["iss"], identity["nonce"]) == ("1", site.issuer, "n")
    assert identity["exp"] - identity["iat"] == 3600
    assert identity["sub"] == access["sub"] != "x"
    digest = hashlib.sha256(made["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert "a" not in access
    assert "cognito:groups" not in identity.keys() | access.keys()
    event = functions.events(arn)[-1]
    assert (event["version"], event["triggerSource"]) == ("1", "TokenGeneration_HostedAuth")
    assert event["request"].keys() == {"userAttributes", "groupConfiguration"}
    implicit = fragment(site.authorize(response_type="token").headers["location"])
    assert claims(implicit["id_token"])["a"] == "1"
    assert functions.events(arn)[-1]["triggerSource"] == "TokenGeneration_HostedAuth"


def test_k14_scopes_of_access_tokens(site: Site, functions):
    """V2_0 adds and suppresses scopes; the ID token goes by those that were granted, userInfo by the token's."""
    scopes = {"scopesToAdd": ["x"], "scopesToSuppress": ["openid"], "claimsToAddOrOverride": {"level": 3}}
    arn = functions.add(replying(claimsAndScopeOverrideDetails={"accessTokenGeneration": scopes}))
    listen(site, arn, "V2_0")
    made = site.tokens()
    access = claims(made["access_token"])
    assert (access["scope"], access["level"]) == ("email x", 3)
    assert claims(made["id_token"])["email"] == site.email
    assert functions.events(arn)[-1]["request"]["scopes"] == ["openid", "email"]
    answer = site.userinfo(made["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    functions.change(arn, replying(claimsAndScopeOverrideDetails=None))
    again = site.refresh(made["refresh_token"]).json()
    assert claims(again["access_token"])["scope"] == "openid email"
    assert site.userinfo(again["access_token"]).json()["email"] == site.email
    event = functions.events(arn)[-1]
    assert (event["triggerSource"], event["request"]["scopes"]) == (
        "TokenGeneration_RefreshTokens",
        ["openid", "email"],
    )
    assert "clientMetadata" not in event["request"]


def test_k17_k18_t29_client_credentials(site: Site, functions):
    """V3_0 is asked about a client's own token, with the metadata of the request; V2_0 is not."""
    section = {"claimsToAddOrOverride": {"tenant": {"id": 7}, "sub": "x"}, "scopesToAdd": ["x"]}
    arn = functions.add(replying(claimsAndScopeOverrideDetails={"accessTokenGeneration": section}))
    listen(site, arn, "V2_0")
    assert "tenant" not in claims(site.machine(scope="rs/read").json()["access_token"])
    assert functions.events(arn) == []
    listen(site, arn, "V3_0")
    made = claims(site.machine(scope="rs/read", aws_client_metadata='{"k":"v"}').json()["access_token"])
    assert (made["tenant"], made["scope"], made["sub"]) == ({"id": 7}, "rs/read x", site.m)
    (event,) = functions.events(arn)
    assert (event["triggerSource"], event["userName"]) == ("TokenGeneration_ClientCredentials", "ClientCredentials")
    assert event["request"]["clientMetadata"] == {"k": "v"}
    assert site.machine(aws_client_metadata="{}").status_code == 200
    assert "clientMetadata" not in functions.events(arn)[-1]["request"]


def test_what_is_told_where_the_function_fails(site: Site, functions):
    """Its words reach the application by either flow; the code is not spent (spec/http/02 §2.1.5, §2.2.5)."""

    def throw(event, _):
        raise ValueError("not today")

    arn = functions.add(throw)
    listen(site, arn, "V3_0")
    told = {"error": "invalid_grant", "error_description": "PreTokenGeneration failed with error not today."}
    code = site.code()
    for answer in (site.redeem(code), site.machine()):
        assert (answer.status_code, answer.json()) == (400, told)
    location = site.authorize(response_type="token", state="s").headers["location"]
    assert location.startswith(f"{CALLBACK}#")
    assert fragment(location) == {
        "error_description": "PreTokenGeneration failed with error not today. ",
        "state": "s",
        "error": "invalid_request",
    }
    functions.change(arn, replying(claimsAndScopeOverrideDetails=[]))
    unrecognizable = told | {"error_description": "Unrecognizable lambda output"}
    assert [site.redeem(code).json(), site.machine().json()] == [unrecognizable] * 2
    functions.change(arn, replying())
    assert site.redeem(code).status_code == 200
