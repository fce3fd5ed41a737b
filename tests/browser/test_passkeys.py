"""A passkey of Chromium and its virtual authenticator, as docs/how-to/passkeys.md tells to (spec/api/04 §5, §10)."""

import re

import pytest

from tests.browser.conftest import ROOT
from tests.operations.chooser import CHOICE
from tests.operations.talk import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.any_database]


def test_chromium_registers_a_passkey_and_signs_in(server, call, pool, app, user, browse):
    """The code of the page works unmodified, and a second passkey is not made where there is one."""
    pool_id = pool(Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}})
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=pool_id.lower().replace("_", ""))
    client, name = app(pool_id, ExplicitAuthFlows=CHOICE), user(pool_id)
    token = sign_in(call, client, name)["AccessToken"]
    scripts = re.findall(r"```js\n(.*?)```", (ROOT / "docs/how-to/passkeys.md").read_text(), re.DOTALL)
    register = f"async ([server, accessToken]) => {{ {scripts[0]} }}"
    enter = f"async ([server, clientId, username]) => {{ {scripts[1]} }}"
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
    for _ in range(2):
        assert page.evaluate(enter, [server.url, client["ClientId"], name])["RefreshToken"]
