"""The console's "Create user pool" through the API (spec/http/08 §8.7)."""

import msgspec
import pytest

from poolhouse.core.quick_setup import ApplicationType, Choices, Made, quick_pool


@pytest.mark.parametrize("kind", ApplicationType)
@pytest.mark.parametrize("identifiers", [{"email"}, {"phone_number"}, {"username", "email"}, {"username"}])
def test_every_step_is_accepted(call, kind, identifiers):
    """For each type of application and sort of sign-in name; the pool ends up with its domain."""
    made = Made()
    choices = Choices(
        application_type=kind,
        identifiers=frozenset(identifiers),
        landing_url="https://auth.example/console/landing",
        suffix="3kf9ab",
    )
    for step in quick_pool(choices):
        answer = call(step.operation, **msgspec.to_builtins(step.request(made)))
        made = Made(
            pool_id=answer.get("UserPool", {}).get("Id", made.pool_id),
            client_id=answer.get("UserPoolClient", {}).get("ClientId", made.client_id),
        )
    pool = call("DescribeUserPool", UserPoolId=made.pool_id)["UserPool"]
    assert pool["Domain"] == made.pool_id.lower().replace("_", "")
    assert pool["DeletionProtection"] == "ACTIVE"
    client = call("DescribeUserPoolClient", UserPoolId=made.pool_id, ClientId=made.client_id)["UserPoolClient"]
    confidential = {ApplicationType.TRADITIONAL_WEB, ApplicationType.MACHINE_TO_MACHINE}
    assert ("ClientSecret" in client) is (kind in confidential)
