"""Users of several families of operations."""

import pytest

from poolhouse.core.message_limits import read_limit
from tests.operations.owner import SENDER, TOTP, Owner


@pytest.fixture
def owner(server, call, pool, app, user):
    """A signed-in user of a new pool that offers factors; MFA is optional."""

    # A time step begins, so that none ends while a test works with its code.
    server.clock.advance(31 - server.clock.now() // 1000 % 30)

    def make(mfa="OPTIONAL", offered=TOTP, attributes=None, **settings):
        pool_id = pool(EmailConfiguration=SENDER, **settings)
        name = user(pool_id, **attributes or {})
        ann = Owner(server, call, app(pool_id), pool_id, name)
        if mfa != "OFF":
            call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration=mfa, **offered)
        return ann

    return make


@pytest.fixture
def limited(server):
    """Limit messages as POOLHOUSE_MESSAGE_LIMITS does, for this test."""

    def limit(*texts):
        object.__setattr__(server.deps, "message_limits", tuple(map(read_limit, texts)))

    yield limit
    limit()
