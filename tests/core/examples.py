"""Pools, clients and users to try the rules of the core on."""

from typing import Any

from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.pool_defaults import PASSWORD_POLICY
from poolhouse.core.schema import new_schema
from poolhouse.core.user import User
from poolhouse.model import (
    GetUserPoolMfaConfigResponse,
    SchemaAttributeType,
    UsernameConfigurationType,
    UserPoolClientType,
    UserPoolPolicyType,
    UserPoolType,
    UserStatusType,
)


def make_pool(*schema: SchemaAttributeType, case_sensitive: bool = True, **settings: Any) -> Pool:
    """A pool with these settings and additions to its schema."""
    defaults = {
        "schema_attributes": new_schema(schema),
        "policies": UserPoolPolicyType(password_policy=PASSWORD_POLICY),
        "username_configuration": UsernameConfigurationType(case_sensitive=case_sensitive),
    }
    return Pool(
        id="eu-west-1_AbCdEfGhI",
        settings=UserPoolType(**(defaults | settings)),
        mfa=GetUserPoolMfaConfigResponse(),
        device_group_key="-abcdefgh",
    )


def make_client(**settings: Any) -> Client:
    """A client with these settings."""
    return Client(id="1example", pool_id="eu-west-1_AbCdEfGhI", settings=UserPoolClientType(**settings))


def make_user(username: str = "ann", **changes: Any) -> User:
    """A confirmed user."""
    defaults = {
        "id": 7,
        "pool_id": "eu-west-1_AbCdEfGhI",
        "sub": "5b1a0c4e-0000-4000-8000-000000000001",
        "username": username,
        "status": UserStatusType.CONFIRMED,
        "attributes": {},
        "created_at": 1000,
        "modified_at": 1000,
    }
    return User(**(defaults | changes))
