"""A passkey made by Chromium and its virtual authenticator, as docs/how-to/passkeys.md tells to (spec/api/04 §10)."""

import re

import pytest

from tests.browser.conftest import ROOT
from tests.operations.talk import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.any_database]


def test_chromium_registers_a_passkey(server, call, pool, app, user, browse):
    """The code of the page works unmodified, and a second passkey is not made where there is one."""
    pool_id = pool(Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}})
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=pool_id.lower().replace("_", ""))
    token = sign_in(call, app(pool_id), user(pool_id))["AccessToken"]
    (script,) = re.findall(r"```js\n(.*?)```", (ROOT / "docs/how-to/passkeys.md").read_text(), re.DOTALL)
    register = f"async ([server, accessToken]) => {{ {script} }}"
    page = browse()
    page.goto(f"{server.url}/health/live")
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    page.evaluate(register, [server.url, token])

    (passkey,) = call("ListWebAuthnCredentials", AccessToken=token)["Credentials"]
    assert (passkey["RelyingPartyId"], passkey["AuthenticatorTransports"]) == ("localhost", ["internal"])
    assert passkey["AuthenticatorAttachment"] == "platform"
    with pytest.raises(Exception, match="InvalidStateError"):
        page.evaluate(register, [server.url, token])
