"""Resource servers over the wire (spec/api/02 §8)."""

from tests.operations.refusals import refused

READ = {"ScopeName": "read", "ScopeDescription": "Read"}


def create(call, pool_id, identifier="https://rs.example", **members):
    made = call("CreateResourceServer", UserPoolId=pool_id, Identifier=identifier, Name="rs", **members)
    return made["ResourceServer"]


def test_a_resource_server_is_answered_as_set(call, pool):
    """Describe answers the same; without scopes the member is left out."""
    pool_id = pool()
    made = create(call, pool_id, Scopes=[READ])
    expected = {"UserPoolId": pool_id, "Identifier": "https://rs.example", "Name": "rs", "Scopes": [READ]}
    assert made == expected
    ids = {"UserPoolId": pool_id, "Identifier": "https://rs.example"}
    assert call("DescribeResourceServer", **ids)["ResourceServer"] == expected
    assert "Scopes" not in create(call, pool_id, "bare")


def test_an_identifier_is_unique_in_its_pool(call, pool):
    """Another pool may have it too."""
    pool_id, other = pool(), pool()
    create(call, pool_id)
    create(call, other)
    members = {"UserPoolId": pool_id, "Identifier": "https://rs.example", "Name": "again"}
    text = refused(call, "InvalidParameterException", "CreateResourceServer", **members)
    assert text == f"https://rs.example already exists in user pool {pool_id}."


def test_names_of_scopes_are_distinct_and_ours_are_reserved(call, pool):
    """The scopes of the service itself cannot be forged."""
    members = {"UserPoolId": pool(), "Name": "rs"}
    refused(call, "InvalidParameterException", "CreateResourceServer", Identifier="rs", Scopes=[READ, READ], **members)
    for identifier in ("aws.cognito", "aws.cognito/dcr"):
        refused(call, "InvalidParameterException", "CreateResourceServer", Identifier=identifier, **members)


def test_an_update_replaces_name_and_scopes(call, pool):
    """Omitted scopes are gone."""
    pool_id = pool()
    create(call, pool_id, Scopes=[READ])
    ids = {"UserPoolId": pool_id, "Identifier": "https://rs.example"}
    updated = call("UpdateResourceServer", **ids, Name="new")["ResourceServer"]
    assert updated == {**ids, "Name": "new"}
    assert call("DescribeResourceServer", **ids)["ResourceServer"] == updated


def test_what_is_not_there_is_not_found(call, pool):
    """By any operation on one resource server."""
    ids = {"UserPoolId": pool(), "Identifier": "rs"}
    text = "Resource server rs does not exist."
    assert refused(call, "ResourceNotFoundException", "DescribeResourceServer", **ids) == text
    assert refused(call, "ResourceNotFoundException", "UpdateResourceServer", **ids, Name="n") == text
    assert refused(call, "ResourceNotFoundException", "DeleteResourceServer", **ids) == text
    create(call, ids["UserPoolId"], "rs")
    call("DeleteResourceServer", **ids)
    assert refused(call, "ResourceNotFoundException", "DescribeResourceServer", **ids) == text


def test_resource_servers_are_listed_page_by_page(call, pool):
    """25 of them at most."""
    pool_id = pool()
    for n in range(25):
        create(call, pool_id, f"rs-{n:02}")
    listed, token = [], {}
    while True:
        page = call("ListResourceServers", UserPoolId=pool_id, MaxResults=10, **token)
        listed += [it["Identifier"] for it in page["ResourceServers"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert listed == [f"rs-{n:02}" for n in range(25)]
    assert len(call("ListResourceServers", UserPoolId=pool_id)["ResourceServers"]) == 25
    members = {"UserPoolId": pool_id, "Identifier": "one-more", "Name": "n"}
    refused(call, "LimitExceededException", "CreateResourceServer", **members)
