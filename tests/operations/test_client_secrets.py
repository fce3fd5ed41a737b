"""The secrets of app clients over the wire (spec/api/10 §5, spec/http/05 §5.4, 09 N7–N9)."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.conftest import PASSWORD
from tests.operations.refusals import refused, unchecked
from tests.operations.talk import secret_hash

OWN = "own_Secret+0123456789abcd"


@pytest.fixture
def made(pool, app):
    """A confidential client."""
    return app(pool(), GenerateSecret=True)


@pytest.fixture
def client(made):
    """That client, as members of a request."""
    return named(made)


def named(made) -> dict[str, str]:
    return {"UserPoolId": made["UserPoolId"], "ClientId": made["ClientId"]}


def add(call, client, **members):
    return call("AddUserPoolClientSecret", **client, **members)["ClientSecretDescriptor"]


def ids(call, client) -> list[str]:
    return [secret["ClientSecretId"] for secret in call("ListUserPoolClientSecrets", **client)["ClientSecrets"]]


def test_a_second_secret_is_made_up_and_told_once(call, made, client):
    """Its id names the client and a second; the list tells no values; Describe shows the older one."""
    (first,) = ids(call, client)
    added = add(call, client)
    assert re.fullmatch(rf"{client['ClientId']}--\d{{10}}", added["ClientSecretId"])
    assert re.fullmatch(r"[0-9a-v]{51,52}", added["ClientSecretValue"])
    assert added["ClientSecretValue"] != made["ClientSecret"]
    answer = call("ListUserPoolClientSecrets", **client)
    assert answer.keys() == {"ClientSecrets"}
    listed = answer["ClientSecrets"]
    assert [secret["ClientSecretId"] for secret in listed] == [first, added["ClientSecretId"]]
    assert len(set(ids(call, client))) == 2
    assert listed[0]["ClientSecretCreateDate"] == made["CreationDate"]
    assert listed[1]["ClientSecretCreateDate"] == added["ClientSecretCreateDate"]
    assert all(secret.keys() == {"ClientSecretId", "ClientSecretCreateDate"} for secret in listed)
    assert call("DescribeUserPoolClient", **client)["UserPoolClient"]["ClientSecret"] == made["ClientSecret"]


def test_a_secret_of_ones_own_is_not_told(call, client):
    """It works all the same, and is shown by Describe once it is the oldest."""
    (first,) = ids(call, client)
    assert "ClientSecretValue" not in add(call, client, ClientSecret=OWN)
    call("DeleteUserPoolClientSecret", **client, ClientSecretId=first)
    assert call("DescribeUserPoolClient", **client)["UserPoolClient"]["ClientSecret"] == OWN


def test_either_secret_proves_the_client_until_it_is_deleted(call, made, client, user):
    """As the key of SECRET_HASH, and in clear when refreshing."""
    username = user(client["UserPoolId"])
    (first,) = ids(call, client)
    second = add(call, client)["ClientSecretValue"]

    def sign_in(secret):
        proof = secret_hash(made | {"ClientSecret": secret}, username)
        parameters = {"USERNAME": username, "PASSWORD": PASSWORD, "SECRET_HASH": proof}
        given = {"ClientId": client["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
        return call("InitiateAuth", **given)["AuthenticationResult"]

    for secret in (made["ClientSecret"], second):
        sign_in(secret)
    call("DeleteUserPoolClientSecret", **client, ClientSecretId=first)
    with pytest.raises(ClientError, match="Unable to verify secret hash"):
        sign_in(made["ClientSecret"])
    token = sign_in(second)["RefreshToken"]
    revoke = {"ClientId": client["ClientId"], "Token": token}
    with pytest.raises(ClientError):
        call("RevokeToken", **revoke, ClientSecret=made["ClientSecret"])
    call("RevokeToken", **revoke, ClientSecret=second)


def test_n7_a_third_secret_is_refused(call, client):
    """Until one of the two is deleted."""
    add(call, client)
    refused(call, "LimitExceededException", "AddUserPoolClientSecret", **client)
    assert len(ids(call, client)) == 2
    call("DeleteUserPoolClientSecret", **client, ClientSecretId=ids(call, client)[0])
    add(call, client)
    assert len(set(ids(call, client))) == 2


def test_n8_the_last_secret_stays(call, client):
    """And one that is not there cannot be deleted, whoever it may belong to."""
    (only,) = ids(call, client)
    refused(call, "InvalidParameterException", "DeleteUserPoolClientSecret", **client, ClientSecretId=only)
    add(call, client)
    refused(call, "ResourceNotFoundException", "DeleteUserPoolClientSecret", **client, ClientSecretId=only + "0")
    assert len(ids(call, client)) == 2


@pytest.mark.parametrize("value", ["x" * 23, "x" * 65, "secret with blanks in between", "sécret-0123456789abcdef-é"])
def test_n9_a_secret_of_ones_own_has_bounds(server, call, client, value):
    """From 24 to 64 letters, digits, ``_`` and ``+``; the refusal does not repeat the secret."""
    text = refused(
        unchecked(server), "InvalidParameterException", "AddUserPoolClientSecret", **client, ClientSecret=value
    )
    assert value not in text
    assert len(ids(call, client)) == 1


@pytest.mark.parametrize("length", [24, 64])
def test_n9_the_bounds_are_inside(call, client, length):
    """24 and 64 characters are fine."""
    add(call, client, ClientSecret="x" * length)


def test_a_public_client_gets_no_secret(call, pool, app):
    """It has none to list either."""
    public = named(app(pool()))
    refused(call, "InvalidParameterException", "AddUserPoolClientSecret", **public)
    assert call("ListUserPoolClientSecrets", **public) == {"ClientSecrets": []}


def test_other_settings_and_secrets_leave_each_other_alone(call, client):
    """An update of the client keeps both secrets; a new secret keeps the settings."""
    call("UpdateUserPoolClient", **client, ClientName="renamed", RefreshTokenValidity=7)
    add(call, client)
    described = call("DescribeUserPoolClient", **client)["UserPoolClient"]
    assert (described["ClientName"], described["RefreshTokenValidity"]) == ("renamed", 7)
    call("UpdateUserPoolClient", **client)
    assert len(ids(call, client)) == 2


def test_clients_of_others_are_not_found(call, client, pool):
    """Neither a client of another pool nor one that does not exist."""
    secret = ids(call, client)[0]
    for wrong in (client | {"UserPoolId": pool()}, client | {"ClientId": "nobody"}):
        refused(call, "ResourceNotFoundException", "AddUserPoolClientSecret", **wrong)
        refused(call, "ResourceNotFoundException", "ListUserPoolClientSecrets", **wrong)
        refused(call, "ResourceNotFoundException", "DeleteUserPoolClientSecret", **wrong, ClientSecretId=secret)


def test_there_is_one_page(call, client):
    """So no token to go on with is ours."""
    refused(call, "InvalidParameterException", "ListUserPoolClientSecrets", **client, NextToken="x")


def test_many_at_once_make_two(server, client):
    """Whoever adds or deletes at the same time as others: there are one or two secrets, never three or none."""
    boto = server.boto(config={"max_pool_connections": 8})

    def attempt(operation, **members):
        try:
            boto._make_api_call(operation, client | members)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return None

    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda _: attempt("AddUserPoolClientSecret"), range(8)))
        assert added.count(None) == 1
        listed = boto.list_user_pool_client_secrets(**client)["ClientSecrets"]
        assert len(listed) == 2
        both = [secret["ClientSecretId"] for secret in listed] * 4
        deleted = list(threads.map(lambda one: attempt("DeleteUserPoolClientSecret", ClientSecretId=one), both))
    assert deleted.count(None) == 1
    assert len(boto.list_user_pool_client_secrets(**client)["ClientSecrets"]) == 1
