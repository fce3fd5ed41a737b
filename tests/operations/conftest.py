"""Users of several families of operations."""

import pytest

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
