"""Domains of user pools over the wire (spec/api/02 §6, spec/http/09 D11–D12)."""

import itertools

import pytest

from tests.operations.refusals import refused

_numbers = itertools.count()
NO_SUCH = "No such domain or user pool exists."
CONFIG = {"CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/a"}


def prefix():
    return f"domain-test-{next(_numbers)}"


def describe(call, name):
    return call("DescribeUserPoolDomain", Domain=name)["DomainDescription"]


def test_a_prefix_domain_works_at_once(call, pool):
    """It is described, named in the pool, and gone when it is deleted."""
    pool_id, name = pool(), prefix()
    assert call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=name) == {"ManagedLoginVersion": 1}
    described = describe(call, name)
    assert (
        described.items()
        >= {
            "UserPoolId": pool_id,
            "AWSAccountId": "000000000000",
            "Domain": name,
            "Status": "ACTIVE",
            "ManagedLoginVersion": 1,
        }.items()
    )
    assert call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]["Domain"] == name
    assert call("DeleteUserPoolDomain", UserPoolId=pool_id, Domain=name) == {}
    assert describe(call, name) == {}
    assert "Domain" not in call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]


def test_a_custom_domain_has_a_target(call, pool):
    """It may stand beside a prefix; the pool names both."""
    pool_id, name = pool(), f"{prefix()}.example.com"
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix())
    made = call(
        "CreateUserPoolDomain", UserPoolId=pool_id, Domain=name, CustomDomainConfig=CONFIG, ManagedLoginVersion=2
    )
    assert made["CloudFrontDomain"].endswith(".cloudfront.net")
    assert made["ManagedLoginVersion"] == 2
    assert describe(call, name)["CloudFrontDistribution"] == made["CloudFrontDomain"]
    assert describe(call, name)["CustomDomainConfig"] == CONFIG
    assert call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]["CustomDomain"] == name
    second = {"UserPoolId": pool_id, "Domain": f"{prefix()}.example.com"}
    text = refused(call, "InvalidParameterException", "CreateUserPoolDomain", **second)
    assert text == "User pool already has a domain configured."


def test_only_custom_domains_are_routed(call, pool):
    """A prefix domain takes no Routing, neither at first nor later (API reference of CreateUserPoolDomain)."""
    pool_id, name = pool(), prefix()
    failover = {"Failover": {"SecondaryRegion": "eu-west-1", "PrimaryRoute53HealthCheckId": "h"}}
    members = {"UserPoolId": pool_id, "Domain": name}
    refused(call, "InvalidParameterException", "CreateUserPoolDomain", **members, Routing=failover)
    call("CreateUserPoolDomain", **members)
    refused(call, "InvalidParameterException", "UpdateUserPoolDomain", **members, Routing=failover)


def test_an_unknown_domain_is_described_as_nothing(call):
    """Not an error."""
    assert call("DescribeUserPoolDomain", Domain=prefix()) == {"DomainDescription": {}}


@pytest.mark.parametrize("name", ["my-aws-app", "amazonx", "cognito1"])
def test_d11_reserved_words_are_refused(call, pool, name):
    """In prefixes."""
    text = refused(call, "InvalidParameterException", "CreateUserPoolDomain", UserPoolId=pool(), Domain=name)
    assert text.startswith("Domain cannot contain reserved word: ")


def test_d12_managed_login_is_not_for_lite(call, pool):
    """The plan is the pool's."""
    members = {"UserPoolId": pool(UserPoolTier="LITE"), "Domain": prefix(), "ManagedLoginVersion": 2}
    refused(call, "FeatureUnavailableInTierException", "CreateUserPoolDomain", **members)


def test_a_name_belongs_to_one_pool(call, pool, server):
    """In every Region; the own pool's is a second one."""
    pool_id, name = pool(), prefix()
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=name)
    taken = "Domain already associated with another user pool."
    assert refused(call, "InvalidParameterException", "CreateUserPoolDomain", UserPoolId=pool(), Domain=name) == taken
    abroad = server.boto(region_name="eu-west-1")
    stranger = abroad.create_user_pool(PoolName="p")["UserPool"]["Id"]
    with pytest.raises(abroad.exceptions.InvalidParameterException, match=taken):
        abroad.create_user_pool_domain(UserPoolId=stranger, Domain=name)
    assert abroad.describe_user_pool_domain(Domain=name)["DomainDescription"] == {}
    for again in (name, prefix()):
        text = refused(call, "InvalidParameterException", "CreateUserPoolDomain", UserPoolId=pool_id, Domain=again)
        assert text == "User pool already has a domain configured."


def test_the_console_s_domain_is_taken_and_does_not_show(call, pool):
    """Nobody can describe, take or delete it."""
    name = "poolhouse-console"
    assert describe(call, name) == {}
    refused(call, "InvalidParameterException", "CreateUserPoolDomain", UserPoolId=pool(), Domain=name)
    members = {"UserPoolId": "us-east-1_Operators", "Domain": name}
    assert refused(call, "InvalidParameterException", "DeleteUserPoolDomain", **members) == NO_SUCH


def test_an_update_changes_the_pages_and_keeps_the_rest(call, pool):
    """The pool's name for the domain included."""
    pool_id, name = pool(), f"{prefix()}.example.com"
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=name, CustomDomainConfig=CONFIG)
    answer = call("UpdateUserPoolDomain", UserPoolId=pool_id, Domain=name, ManagedLoginVersion=2)
    assert answer["ManagedLoginVersion"] == 2
    assert describe(call, name)["CustomDomainConfig"] == CONFIG
    assert describe(call, name)["ManagedLoginVersion"] == 2


@pytest.mark.parametrize("operation", ["UpdateUserPoolDomain", "DeleteUserPoolDomain"])
def test_domain_and_pool_must_match(call, pool, operation):
    """An unknown domain, another pool and an unknown pool answer alike."""
    pool_id, name = pool(), prefix()
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=name)
    for members in (
        {"UserPoolId": pool_id, "Domain": prefix()},
        {"UserPoolId": pool(), "Domain": name},
        {"UserPoolId": "us-east-1_Nothing00", "Domain": name},
    ):
        assert refused(call, "InvalidParameterException", operation, **members) == NO_SUCH
