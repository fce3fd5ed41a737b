"""User pools over the wire (spec/api/02 §1–4, 01 §6–7)."""

import base64
import re

import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from poolhouse.flows.pools import MAX_POOLS
from poolhouse.storage import counts
from tests.operations.refusals import refused, unchecked

PROTECTED = (
    "The user pool cannot be deleted because deletion protection is activated."
    " Deletion protection must be inactivated first."
)
HAS_DOMAIN = "User pool cannot be deleted. It has a domain configured that should be deleted first."


def describe(call, pool_id):
    return call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]


def test_creating_a_pool_answers_the_whole_pool(call):
    """Describe answers the same; the id belongs to the Region."""
    made = call("CreateUserPool", PoolName="p")["UserPool"]
    assert re.fullmatch(r"us-east-1_[0-9a-zA-Z]{9}", made["Id"])
    assert made["Arn"] == f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{made['Id']}"
    assert made["CreationDate"] == made["LastModifiedDate"]
    assert made["EstimatedNumberOfUsers"] == 0
    assert made["LambdaConfig"] == made["UserPoolTags"] == {}
    assert len(made["SchemaAttributes"]) == 20
    assert not made.keys() & {"Status", "Domain", "UserAttributeUpdateSettings", "UsernameConfiguration"}
    assert describe(call, made["Id"]) == made


def test_the_schema_survives_storage(call, pool):
    """With the longest names and as many attributes as a pool can have."""
    entries = [{"Name": f"{n:020}", "AttributeDataType": "String"} for n in range(25)]
    hidden = {"Name": "x" * 20, "AttributeDataType": "Number", "DeveloperOnlyAttribute": True}
    pool_id = pool(Schema=[*entries, hidden, {"Name": "phone_number", "Required": True, "Mutable": False}])
    more = [{"Name": f"more-{n}", "AttributeDataType": "DateTime"} for n in range(24)]
    assert call("AddCustomAttributes", UserPoolId=pool_id, CustomAttributes=more) == {}
    names = [attribute["Name"] for attribute in describe(call, pool_id)["SchemaAttributes"]]
    assert len(names) == 70
    assert names[45] == "dev:custom:" + "x" * 20
    assert names[-1] == "custom:more-23"
    text = refused(
        call, "InvalidParameterException", "AddCustomAttributes", UserPoolId=pool_id, CustomAttributes=more[:1]
    )
    assert text == "custom:more-0: Existing attribute already has name custom:more-0."


def test_an_unknown_data_type_is_a_constraint_violation(call):
    """It is found before anything else is looked at."""
    schema = [{"Name": "x", "AttributeDataType": "Text"}]
    text = refused(call, "InvalidParameterException", "CreateUserPool", PoolName="p", Schema=schema)
    assert "Member must satisfy enum value set: [" in text


def test_users_are_counted(call, pool, user):
    """EstimatedNumberOfUsers follows."""
    pool_id = pool()
    user(pool_id)
    assert describe(call, pool_id)["EstimatedNumberOfUsers"] == 1


def test_an_update_answers_nothing_and_keeps_or_resets(call, pool, server):
    """The table of spec/api/02 §2, seen from outside; times move on."""
    pool_id = pool(
        AutoVerifiedAttributes=["email"],
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        UserPoolTags={"team": "a"},
        Policies={"PasswordPolicy": {"MinimumLength": 20}},
    )
    before = describe(call, pool_id)
    server.clock.advance(60)
    assert call("UpdateUserPool", UserPoolId=pool_id, DeletionProtection="ACTIVE") == {}
    after = describe(call, pool_id)
    assert "AutoVerifiedAttributes" not in after
    assert after["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False
    assert after["UserPoolTags"] == {"team": "a"}
    assert after["Policies"] == before["Policies"]
    assert after["DeletionProtection"] == "ACTIVE"
    assert after["CreationDate"] == before["CreationDate"]
    assert (after["LastModifiedDate"] - before["LastModifiedDate"]).total_seconds() >= 60


def test_a_refused_update_changes_nothing(call, pool):
    """Validation is atomic."""
    pool_id = pool(AutoVerifiedAttributes=["email"])
    before = describe(call, pool_id)
    refused(call, "InvalidParameterException", "UpdateUserPool", UserPoolId=pool_id, MfaConfiguration="ON")
    assert describe(call, pool_id) == before


def test_the_first_factors_cannot_be_none(server, pool):
    """An empty list breaks a constraint of the model."""
    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": []}}
    text = refused(
        unchecked(server), "InvalidParameterException", "UpdateUserPool", UserPoolId=pool(), Policies=policies
    )
    assert "Member must have length greater than or equal to 1" in text


def test_moving_to_lite_needs_clients_and_domains_that_fit(call, pool, app):
    """Choice-based sign-in and managed login stand in the way until they are gone."""
    pool_id = pool()
    client = app(pool_id, ExplicitAuthFlows=["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    prefix = pool_id.lower().replace("_", "-lite-")
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix, ManagedLoginVersion=2)
    lite = {"UserPoolId": pool_id, "UserPoolTier": "LITE"}
    assert prefix in refused(call, "TierChangeNotAllowedException", "UpdateUserPool", **lite)
    call("UpdateUserPoolDomain", UserPoolId=pool_id, Domain=prefix, ManagedLoginVersion=1)
    assert client["ClientId"] in refused(call, "TierChangeNotAllowedException", "UpdateUserPool", **lite)
    call("UpdateUserPoolClient", UserPoolId=pool_id, ClientId=client["ClientId"])
    call("UpdateUserPool", **lite)
    assert describe(call, pool_id)["UserPoolTier"] == "LITE"


def test_a_protected_pool_is_not_deleted(call, pool):
    """Nor one with a domain; after that it is gone with all in it."""
    pool_id = pool(DeletionProtection="ACTIVE")
    assert refused(call, "InvalidParameterException", "DeleteUserPool", UserPoolId=pool_id) == PROTECTED
    call("UpdateUserPool", UserPoolId=pool_id, DeletionProtection="INACTIVE")
    prefix = pool_id.lower().replace("_", "-del-")
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix)
    assert refused(call, "InvalidParameterException", "DeleteUserPool", UserPoolId=pool_id) == HAS_DOMAIN
    call("DeleteUserPoolDomain", UserPoolId=pool_id, Domain=prefix)
    call("DeleteUserPool", UserPoolId=pool_id)
    text = f"User pool {pool_id} does not exist."
    for operation in (
        "DescribeUserPool",
        "UpdateUserPool",
        "DeleteUserPool",
        "GetUserPoolMfaConfig",
        "ListUserPoolClients",
    ):
        assert refused(call, "ResourceNotFoundException", operation, UserPoolId=pool_id) == text


def test_a_pool_belongs_to_its_region(call, pool, server):
    """Elsewhere it neither exists nor shows."""
    pool_id = pool()
    elsewhere = server.boto(region_name="eu-west-1")
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
        elsewhere.describe_user_pool(UserPoolId=pool_id)
    made = elsewhere.create_user_pool(PoolName="abroad")["UserPool"]["Id"]
    assert made.startswith("eu-west-1_")
    listed = [
        it["Id"]
        for page in elsewhere.get_paginator("list_user_pools").paginate(MaxResults=60)
        for it in page["UserPools"]
    ]
    assert made in listed
    assert pool_id not in listed


def test_the_operators_pool_does_not_show(call, server):
    """It is in no list and answers to no operation."""
    builtin = f"{server.deps.identity.region}_Operators"
    assert server.read(lambda tx: tx.catalogue.find_pool(builtin)).builtin
    refused(call, "ResourceNotFoundException", "DescribeUserPool", UserPoolId=builtin)
    refused(call, "ResourceNotFoundException", "DeleteUserPool", UserPoolId=builtin)
    pages = server.boto().get_paginator("list_user_pools").paginate(MaxResults=60)
    assert builtin not in [it["Id"] for page in pages for it in page["UserPools"]]


def test_pools_are_listed_page_by_page(server):
    """Every pool once, in a Region of its own; the last page has no token."""
    client = server.boto(region_name="sa-east-1")
    arn = "arn:aws:lambda:sa-east-1:111122223333:function:f"
    made = {
        client.create_user_pool(PoolName=f"p{n}", LambdaConfig={"PreSignUp": arn})["UserPool"]["Id"] for n in range(5)
    }
    pages, token = [], {}
    while not pages or token:
        page = client.list_user_pools(MaxResults=2, **token)
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
        pages.append(page["UserPools"])
    assert [len(page) for page in pages] == [2, 2, 1]
    listed = [it for page in pages for it in page]
    assert {it["Id"] for it in listed} == made
    assert all(it.keys() == {"Id", "Name", "LambdaConfig", "LastModifiedDate", "CreationDate"} for it in listed)
    assert listed[0]["LambdaConfig"] == {"PreSignUp": arn}


def test_page_tokens_are_bound_to_their_list(call, pool, app, server):
    """One of another list, a changed one or an invented one is refused."""
    pool_id, other = pool(), pool()
    for _ in range(2):
        app(pool_id)
    token = call("ListUserPoolClients", UserPoolId=pool_id, MaxResults=1)["NextToken"]
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    bad = "Invalid pagination token given."
    assert refused(call, "InvalidParameterException", "ListUserPools", MaxResults=1, NextToken=token) == bad
    for pool_asked, given in ((other, token), (pool_id, flipped), (pool_id, "invented"), (pool_id, "\u00e9")):
        text = refused(call, "InvalidParameterException", "ListUserPoolClients", UserPoolId=pool_asked, NextToken=given)
        assert text == bad
    thinned = {"UserPoolId": pool_id, "NextToken": token, "ClientType": "DCR"}
    assert refused(call, "InvalidParameterException", "ListUserPoolClients", **thinned) == bad


def test_mfa_settings_are_answered_as_set(call, pool):
    """Only the blocks that are configured."""
    pool_id = pool()
    assert call("GetUserPoolMfaConfig", UserPoolId=pool_id) == {"MfaConfiguration": "OFF"}
    wanted = {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    assert call("SetUserPoolMfaConfig", UserPoolId=pool_id, **wanted) == wanted
    assert call("GetUserPoolMfaConfig", UserPoolId=pool_id) == wanted
    assert describe(call, pool_id)["MfaConfiguration"] == "OPTIONAL"


def test_the_signing_certificate_is_a_der_certificate(call, pool):
    """Of the access token key, good for ten years, the same each time."""
    pool_id = pool()
    text = call("GetSigningCertificate", UserPoolId=pool_id)["Certificate"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 3650
    assert call("GetSigningCertificate", UserPoolId=pool_id)["Certificate"] == text


def test_a_pool_has_two_signing_keys_of_its_own(pool, server):
    """Even where the stock is empty."""

    server.write(lambda tx: tx.signing_keys._sql.run("DELETE FROM signing_keys WHERE state = 'stock'"))
    ids = [pool(), pool()]
    keys = server.read(lambda tx: [tx.catalogue.signing_keys(pool_id) for pool_id in ids])
    assert len({key.kid for pair in keys for key in (pair.id, pair.access)}) == 4
    assert {pair.id.state for pair in keys} == {"active"}
    assert [(pair.id.use, pair.access.use) for pair in keys] == [("id", "access")] * 2


def test_tags_are_added_changed_and_removed(call, pool):
    """They are the pool's UserPoolTags; keys it does not have are ignored."""
    pool_id = pool(UserPoolTags={"a": "1"})
    arn = describe(call, pool_id)["Arn"]
    assert call("TagResource", ResourceArn=arn, Tags={"a": "2", "b": ""}) == {}
    assert call("ListTagsForResource", ResourceArn=arn) == {"Tags": {"a": "2", "b": ""}}
    assert call("UntagResource", ResourceArn=arn, TagKeys=["a", "nothing"]) == {}
    assert describe(call, pool_id)["UserPoolTags"] == {"b": ""}


def test_tags_have_rules(call, pool):
    """Reserved prefixes and more than fifty are refused, with a type of its own at creation."""
    arn = describe(call, pool(UserPoolTags={f"k{n}": "" for n in range(50)}))["Arn"]
    refused(call, "InvalidParameterException", "TagResource", ResourceArn=arn, Tags={"one-more": ""})
    refused(call, "InvalidParameterException", "TagResource", ResourceArn=arn, Tags={"aws:x": ""})
    refused(call, "UserPoolTaggingException", "CreateUserPool", PoolName="p", UserPoolTags={"aws:x": ""})


def test_tags_are_of_pools_that_exist(call, pool):
    """Other ARNs, other accounts and pools that are gone are refused."""
    pool_id = pool()
    arn = describe(call, pool_id)["Arn"]
    text = f"User pool {pool_id} does not exist."
    stranger = arn.replace("000000000000", "111122223333")
    assert refused(call, "ResourceNotFoundException", "ListTagsForResource", ResourceArn=stranger) == text
    refused(
        call, "InvalidParameterException", "ListTagsForResource", ResourceArn="arn:aws:sns:us-east-1:000000000000:topic"
    )
    call("DeleteUserPool", UserPoolId=pool_id)
    assert refused(call, "ResourceNotFoundException", "ListTagsForResource", ResourceArn=arn) == text


def test_a_region_has_ten_thousand_pools_at_most(server):
    """The limit is on what there is, so one that goes makes room."""
    region = "lim-it-1"
    cognito = server.boto(region_name=region)
    made = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]

    def others(number):
        server.write(lambda tx: counts.add(tx._connection, f"pools:{region}", number))

    others(MAX_POOLS - 1)
    with pytest.raises(ClientError) as failure:
        cognito.create_user_pool(PoolName="q")
    error = failure.value.response["Error"]
    assert error == {"Code": "LimitExceededException", "Message": f"A Region can have at most {MAX_POOLS} user pools."}
    cognito.delete_user_pool(UserPoolId=made)
    cognito.delete_user_pool(UserPoolId=cognito.create_user_pool(PoolName="q")["UserPool"]["Id"])
    others(1 - MAX_POOLS)
