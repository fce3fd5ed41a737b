"""Domains of pools (spec/api/02 §6, spec/http/09 D11–D12)."""

import msgspec
import pytest

from poolhouse.core.domain_rules import new_domain, pool_with_domain, pool_without_domain, updated_domain
from poolhouse.core.pool_settings import new_pool
from poolhouse.model import (
    CreateUserPoolDomainRequest,
    CreateUserPoolRequest,
    FeatureUnavailableInTierException,
    InvalidParameterException,
    UpdateUserPoolDomainRequest,
)

POOL_ID = "us-east-1_AbCdEfGhI"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/a"


def pool(**settings):
    request = msgspec.convert({"PoolName": "p"} | settings, CreateUserPoolRequest)
    return new_pool(request, pool_id=POOL_ID, account_id="1" * 12, device_group_key="-abcdefgh", now=0)


def create(domain, where=None, **members):
    request = msgspec.convert({"UserPoolId": POOL_ID, "Domain": domain} | members, CreateUserPoolDomainRequest)
    return new_domain(
        request, where or pool(), account_id="111122223333", distribution="d1.cloudfront.net", now=1_548_698_042_000
    )


def update(domain, where=None, **members):
    request = msgspec.convert({"UserPoolId": POOL_ID, "Domain": domain.name} | members, UpdateUserPoolDomainRequest)
    return updated_domain(domain, request, where or pool(), 1_548_698_043_000)


def refusal(make, *arguments, error=InvalidParameterException, **members):
    with pytest.raises(error) as caught:
        make(*arguments, **members)
    return caught.value.message


def test_a_prefix_domain_is_described_as_cognito_does():
    """It is active at once and has the classic pages."""
    domain = create("my-app")
    assert domain.custom is False
    assert msgspec.to_builtins(domain.description) == {
        "UserPoolId": POOL_ID,
        "AWSAccountId": "111122223333",
        "Domain": "my-app",
        "S3Bucket": "aws-cognito-prod-us-east-1-assets",
        "CloudFrontDistribution": "d1.cloudfront.net",
        "Version": "20190128175402",
        "Status": "ACTIVE",
        "ManagedLoginVersion": 1,
    }


@pytest.mark.parametrize(("prefix", "word"), [("my-aws-app", "aws"), ("amazonx", "amazon"), ("cognito1", "cognito")])
def test_d11_a_prefix_has_no_reserved_word(prefix, word):
    """A custom domain may."""
    assert refusal(create, prefix) == f"Domain cannot contain reserved word: {word}"
    assert create(f"{prefix}.example.com").custom


def test_d12_managed_login_needs_essentials():
    """At creation and later."""
    lite = pool(UserPoolTier="LITE")
    error = FeatureUnavailableInTierException
    refusal(create, "a", lite, error=error, ManagedLoginVersion=2)
    refusal(update, create("a", lite), lite, error=error, ManagedLoginVersion=2)
    assert create("a", ManagedLoginVersion=2).description.managed_login_version == 2


@pytest.mark.parametrize("version", [0, 3, -1])
def test_there_are_two_versions_of_the_pages(version):
    """Anything else is refused."""
    refusal(create, "a", ManagedLoginVersion=version)


@pytest.mark.parametrize("name", ["a" * 64, "b" * 253])
def test_a_prefix_is_one_label(name):
    """Of 63 characters at most."""
    assert "failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]" in refusal(
        create, name
    )


@pytest.mark.parametrize("name", ["a..example.com", "a-.example.com", "a.-b.com", "1.2.3.4", "example.com", "com"])
def test_a_custom_domain_is_a_subdomain(name):
    """Not a top-level domain, nor directly below one, nor an address."""
    refusal(create, name, CustomDomainConfig={"CertificateArn": CERTIFICATE})


def test_a_name_with_dots_is_a_custom_domain():
    """With or without a certificate."""
    assert create("auth.example.com").custom
    assert create("auth.example.com", CustomDomainConfig={"CertificateArn": CERTIFICATE}).custom


def test_old_tls_does_not_go_with_managed_login():
    """It does with the classic pages."""
    config = {"CustomDomainConfig": {"CertificateArn": CERTIFICATE, "SecurityPolicy": "TLS_V1"}}
    classic = create("auth.example.com", **config)
    refusal(create, "auth.example.com", ManagedLoginVersion=2, **config)
    refusal(update, classic, ManagedLoginVersion=2)


def test_an_update_keeps_what_it_leaves_out():
    """Certificate, routing and version of the pages."""
    config = {"CertificateArn": CERTIFICATE, "SecurityPolicy": "TLS_V1_2_2021"}
    routing = {"Failover": {"SecondaryRegion": "eu-west-1", "PrimaryRoute53HealthCheckId": "h"}}
    before = create("auth.example.com", CustomDomainConfig=config, Routing=routing, ManagedLoginVersion=2)
    after = msgspec.to_builtins(update(before).description)
    assert after == msgspec.to_builtins(before.description) | {"Version": "20190128175403"}
    refusal(update, create("a"), CustomDomainConfig=config)


def test_a_pool_has_one_prefix_and_one_custom_domain():
    """The pool's settings name both; a second of a kind is refused."""
    prefix, custom = create("a"), create("auth.example.com")
    both = pool_with_domain(pool_with_domain(pool(), prefix), custom)
    assert (both.settings.domain, both.settings.custom_domain) == ("a", "auth.example.com")
    for second in (create("b"), create("b.example.com")):
        assert refusal(pool_with_domain, both, second) == "User pool already has a domain configured."
    assert pool_without_domain(both, prefix).settings.domain is None
    assert pool_without_domain(both, custom).settings.custom_domain is None
