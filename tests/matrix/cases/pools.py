"""Pools: settings, tags, second factors, keys (spec/api/02 §1–4, §10)."""

from tests.matrix.world import case


@case
def create_user_pool(world):
    """02 §1"""
    answer = yield {"PoolName": "made", "Policies": {"PasswordPolicy": {"MinimumLength": 12}}}
    made = answer["UserPool"]
    assert made == world.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]
    assert made["Policies"]["PasswordPolicy"]["MinimumLength"] == 12


@case
def describe_user_pool(world):
    """02 §3"""
    answer = yield world.pool
    assert answer["UserPool"]["Id"] == world.pool_id


@case
def update_user_pool(world):
    """02 §2"""
    yield world.pool | {"DeletionProtection": "ACTIVE", "AutoVerifiedAttributes": ["email"]}
    assert world.described["DeletionProtection"] == "ACTIVE"


@case
def delete_user_pool(world):
    """02 §3"""
    yield world.pool
    assert world.refused("DescribeUserPool", **world.pool) == "ResourceNotFoundException"


@case
def list_user_pools(world):
    """02 §3"""
    made = world.pool_id
    answer = yield {"MaxResults": 60}
    while made not in [pool["Id"] for pool in answer["UserPools"]]:
        answer = world.call("ListUserPools", MaxResults=60, NextToken=answer["NextToken"])


@case
def add_custom_attributes(world):
    """02 §1.3"""
    yield world.pool | {"CustomAttributes": [{"Name": "more", "AttributeDataType": "Number"}]}
    assert world.described["SchemaAttributes"][-1]["Name"] == "custom:more"


@case
def get_user_pool_mfa_config(world):
    """02 §4"""
    answer = yield world.pool
    assert answer["MfaConfiguration"] == "OFF"


@case
def set_user_pool_mfa_config(world):
    """02 §4"""
    software = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    answer = yield world.pool | {"MfaConfiguration": "OPTIONAL", **software}
    assert answer == {"MfaConfiguration": "OPTIONAL", **software}
    assert world.described["MfaConfiguration"] == "OPTIONAL"
    assert world.call("GetUserPoolMfaConfig", **world.pool) == answer


@case
def get_signing_certificate(world):
    """01 §6: DER in Base64, without armour."""
    answer = yield world.pool
    assert answer["Certificate"].startswith("MII")


@case
def tag_resource(world):
    """02 §10"""
    yield {"ResourceArn": world.arn, "Tags": {"kind": "matrix"}}
    assert world.described["UserPoolTags"] == {"kind": "matrix"}


@case
def untag_resource(world):
    """02 §10"""
    world.call("TagResource", ResourceArn=world.arn, Tags={"kind": "matrix", "other": "x"})
    yield {"ResourceArn": world.arn, "TagKeys": ["kind"]}
    assert world.described["UserPoolTags"] == {"other": "x"}


@case
def list_tags_for_resource(world):
    """02 §10"""
    world.call("TagResource", ResourceArn=world.arn, Tags={"kind": "matrix"})
    answer = yield {"ResourceArn": world.arn}
    assert answer["Tags"] == {"kind": "matrix"}
