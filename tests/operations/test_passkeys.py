"""Passkeys over the wire, made by an authenticator in software (spec/api/04 §10)."""

import base64
import json

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.authenticator import ES256, RS256, USER_PRESENT, USER_VERIFIED, Authenticator, b64url, cose_of
from tests.operations.talk import refusal, shown, sign_in

NO_CHALLENGE = ("WebAuthnChallengeNotFoundException", "The challenge of the registration was not found or has expired.")
NOT_FOUND = ("ResourceNotFoundException", "The passkey was not found.")
MALFORMED = ("InvalidParameterException", "Credential is not a valid RegistrationResponseJSON.")
START, COMPLETE = "StartWebAuthnRegistration", "CompleteWebAuthnRegistration"
LIST, DELETE = "ListWebAuthnCredentials", "DeleteWebAuthnCredential"
RP = {"RelyingPartyId": "localhost"}
UNSUPPORTED = "WebAuthnCredentialNotSupportedException"
APPLE = bytes.fromhex("fbfc3007154e4ecc8c0b6e020557d7bd")


class Holder:
    """A signed-in user, with a browser that can make passkeys."""

    def __init__(self, call, client, pool_id, username):
        self.call, self.pool_id, self.username = call, pool_id, username
        self.token = sign_in(call, client, username)["AccessToken"]

    def does(self, operation, **members):
        return self.call(operation, AccessToken=self.token, **members)

    def may_not(self, operation, **members):
        return refusal(self.call, operation, AccessToken=self.token, **members)

    def starts(self):
        return self.does(START)["CredentialCreationOptions"]

    def registers(self, authenticator=None, **changes):
        authenticator = authenticator or Authenticator()
        self.does(COMPLETE, Credential=authenticator.create(self.starts(), **changes))
        return b64url(authenticator.id)

    def may_not_register(self, authenticator=None, **changes):
        made = (authenticator or Authenticator()).create(self.starts(), **changes)
        return self.may_not(COMPLETE, Credential=made)

    def passkeys(self):
        return self.does(LIST)["Credentials"]


@pytest.fixture
def passkey_pool(call, pool):
    """A pool whose users may have passkeys; ``configuration`` is its WebAuthnConfiguration."""

    def make(configuration=RP, *, enabled=True):
        factors = ["PASSWORD", "WEB_AUTHN"] if enabled else ["PASSWORD"]
        pool_id = pool(Policies={"SignInPolicy": {"AllowedFirstAuthFactors": factors}})
        if configuration is not None:
            call("SetUserPoolMfaConfig", UserPoolId=pool_id, WebAuthnConfiguration=configuration)
        return pool_id

    return make


@pytest.fixture
def holder(call, app, user, passkey_pool):
    """A signed-in user of a new pool with passkeys, or of the given one."""

    def make(configuration=RP, *, pool_id=None):
        pool_id = pool_id or passkey_pool(configuration)
        return Holder(call, app(pool_id), pool_id, user(pool_id))

    return make


def test_what_the_browser_gets(holder, call):
    """The options are Cognito's: the user by ``sub``, two algorithms, a discoverable credential."""
    ann = holder()
    options = ann.starts()
    sub = shown(call, ann.pool_id, ann.username)["UserAttributes"][0]["Value"]
    challenge = options.pop("challenge")
    assert 16 <= len(base64.urlsafe_b64decode(challenge + "===")) < 256
    assert options == {
        "rp": {"id": "localhost", "name": "localhost"},
        "user": {"id": b64url(sub.encode()), "name": ann.username, "displayName": ann.username},
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
        "timeout": 60000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "requireResidentKey": True,
            "residentKey": "required",
            "userVerification": "preferred",
        },
    }
    assert ann.starts()["challenge"] != challenge


@pytest.mark.parametrize("algorithm", [ES256, RS256])
def test_a_passkey_is_registered(holder, call, algorithm):
    """It is listed with what is known of it, excluded from now on, and named among the user's factors."""
    ann = holder()
    made = Authenticator(algorithm=algorithm, aaguid=APPLE)
    id = ann.registers(made, transports=["internal", "hybrid", "internal", "pigeon"])
    (listed,) = ann.passkeys()
    assert listed.pop("CreatedAt")
    assert listed == {
        "CredentialId": id,
        "FriendlyCredentialName": "iCloud Keychain",
        "RelyingPartyId": "localhost",
        "AuthenticatorAttachment": "platform",
        "AuthenticatorTransports": ["internal", "hybrid"],
    }
    assert ann.starts()["excludeCredentials"] == [{"type": "public-key", "id": id}]
    factors = call("AdminGetUserAuthFactors", UserPoolId=ann.pool_id, Username=ann.username)
    assert factors["ConfiguredUserAuthFactors"] == ["PASSWORD", "WEB_AUTHN"]


def test_a_passkey_that_tells_nothing_of_itself(holder):
    """Attachment and transports may be missing, the list of transports is shown all the same."""
    ann = holder()
    ann.registers(transports=None, authenticatorAttachment=None)
    (listed,) = ann.passkeys()
    assert listed["AuthenticatorTransports"] == []
    assert listed["FriendlyCredentialName"] == "Passkey"
    assert "AuthenticatorAttachment" not in listed


def test_a_challenge_counts_once(holder):
    """The same answer again, or another one to the same challenge, finds none."""
    ann = holder()
    options = ann.starts()
    made = Authenticator().create(options)
    ann.does(COMPLETE, Credential=made)
    assert ann.may_not(COMPLETE, Credential=made) == NO_CHALLENGE
    assert ann.may_not(COMPLETE, Credential=Authenticator().create(options)) == NO_CHALLENGE
    assert len(ann.passkeys()) == 1


def test_a_challenge_runs_out(holder, server):
    """An answer may take longer than the browser's minute, and not for ever."""
    ann = holder()
    options = [ann.starts(), ann.starts()]
    server.clock.advance(75)
    ann.does(COMPLETE, Credential=Authenticator().create(options[0]))
    server.clock.advance(60)
    assert ann.may_not(COMPLETE, Credential=Authenticator().create(options[1])) == NO_CHALLENGE


def test_a_challenge_is_bound_to_user_and_client(holder, call, app):
    """Neither another user nor the same one with another client can answer it, nor is one made up."""
    ann = holder()
    bob = holder(pool_id=ann.pool_id)
    made = Authenticator().create(ann.starts())
    assert bob.may_not(COMPLETE, Credential=made) == NO_CHALLENGE
    elsewhere = Holder(call, app(ann.pool_id), ann.pool_id, ann.username)
    assert elsewhere.may_not(COMPLETE, Credential=made) == (
        "WebAuthnClientMismatchException",
        "The registration was started by another app client.",
    )
    assert ann.may_not_register(challenge=b64url(bytes(32))) == NO_CHALLENGE
    assert ann.may_not_register(challenge="") == NO_CHALLENGE
    ann.does(COMPLETE, Credential=made)


def test_the_relying_party_has_to_be_the_right_one(holder):
    """The authenticator signed for one relying party, and the page is one of its own."""
    ann = holder({"RelyingPartyId": "example.org"})
    ann.registers(origin="https://app.example.org")
    ann.registers(origin="https://example.org:8443")
    code, _ = ann.may_not_register(origin="https://example.org", rp_id="example.com")
    assert code == "WebAuthnRelyingPartyMismatchException"
    for origin in ("https://example.com", "http://example.org", "https://example.org.example.com", "http://localhost"):
        assert ann.may_not_register(origin=origin)[0] == "WebAuthnOriginNotAllowedException"
    assert len(ann.passkeys()) == 2


def test_where_the_relying_party_comes_from(call, holder, passkey_pool, server):
    """Without a setting it is the host that the prefix domain is served at; without a domain there is none."""
    pool_id = passkey_pool(None)
    ann = holder(pool_id=pool_id)
    assert ann.may_not(START)[0] == "WebAuthnConfigurationMissingException"
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=pool_id.lower().replace("_", ""))
    assert ann.starts()["rp"]["id"] == "localhost"
    ann.registers(origin=server.url)
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, WebAuthnConfiguration={"RelyingPartyId": "example.org"})
    made = Authenticator().create(ann.starts(), rp_id="localhost", origin=server.url)
    assert ann.may_not(COMPLETE, Credential=made)[0] == "WebAuthnRelyingPartyMismatchException"


def test_pools_without_passkeys(holder, passkey_pool):
    """Where WEB_AUTHN is no first factor nothing is registered; lists are empty and nothing is there to delete."""
    ann = holder(pool_id=passkey_pool(RP, enabled=False))
    not_enabled = ("WebAuthnNotEnabledException", "WebAuthn is not enabled")
    assert ann.may_not(START) == not_enabled
    assert ann.may_not(COMPLETE, Credential={}) == not_enabled
    assert ann.passkeys() == []
    assert ann.may_not(DELETE, CredentialId="x") == NOT_FOUND


def test_user_verification(holder):
    """Where the pool requires it, the options ask for it and a passkey without it is refused."""
    ann = holder(RP | {"UserVerification": "required"})
    assert ann.starts()["authenticatorSelection"]["userVerification"] == "required"
    assert ann.may_not_register(Authenticator(flags=USER_PRESENT))[0] == UNSUPPORTED
    ann.registers(Authenticator(flags=USER_PRESENT | USER_VERIFIED))
    bob = holder()
    bob.registers(Authenticator(flags=USER_PRESENT))
    assert bob.may_not_register(Authenticator(flags=0))[0] == UNSUPPORTED


def off_the_curve():
    return cose_of(ec.generate_private_key(ec.SECP256R1())) | {-2: bytes(31) + b"\x05"}


@pytest.mark.parametrize(
    "key",
    [
        off_the_curve(),
        {1: 2, 3: ES256},
        {1: 1, 3: -8, -1: 6, -2: bytes(32)},
        cose_of(ec.generate_private_key(ec.SECP256R1())) | {3: -35},
        cose_of(ec.generate_private_key(ec.SECP256R1())) | {3: RS256},
        cose_of(rsa.generate_private_key(65537, 1024)),
        cose_of(rsa.generate_private_key(65537, 2048)) | {-2: b"\x02"},
        {1: 0},
        7,
    ],
    ids=[
        "off the curve",
        "no point",
        "EdDSA",
        "ES384",
        "RS256 by curve",
        "short",
        "even exponent",
        "no type",
        "a number",
    ],
)
def test_keys_that_nothing_could_be_verified_with(holder, key):
    """Only P-256 points and RSA keys of the two algorithms are stored: others would fail at sign-in."""
    ann = holder()
    assert ann.may_not_register(attestation={"key": key})[0] == UNSUPPORTED
    assert ann.passkeys() == []


def test_attestations(holder):
    """An attestation of a format that cannot be verified, or one that is no "none" in truth, is refused."""
    ann = holder()
    for attestation in ({"format": "tree"}, {"format": "packed"}):
        assert ann.may_not_register(attestation=attestation)[0] == UNSUPPORTED
    assert ann.may_not_register(rawId=b64url(b"other"))[0] == UNSUPPORTED
    other = b64url(b"another id")
    assert ann.may_not_register(id=other, rawId=other)[0] == UNSUPPORTED


NESTED = base64.urlsafe_b64encode(b"\x81" * 100_000).decode()


@pytest.mark.parametrize(
    "credential",
    [
        {},
        [],
        "text",
        7,
        {"id": "eA", "rawId": "eA", "type": "public-key"},
        {"id": "eA", "rawId": "eA", "type": ["public-key"], "response": {"clientDataJSON": "e30", "attestationObject": ""}},
        {"id": "eA", "rawId": "!", "type": "public-key", "response": {"clientDataJSON": "e30", "attestationObject": "oA"}},
        {"id": "eA", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "é", "attestationObject": NESTED}},
    ],
)  # fmt: skip
def test_what_is_no_credential(holder, credential):
    """Anything but a RegistrationResponseJSON is an invalid parameter, however deep it goes."""
    assert holder().may_not(COMPLETE, Credential=credential) == MALFORMED


def test_parts_that_are_malformed(holder):
    """A part that cannot be read is an invalid parameter too, and so is an answer to another ceremony."""
    ann = holder()
    assert ann.may_not_register(kind="webauthn.get") == MALFORMED
    assert ann.may_not_register(origin=7) == MALFORMED
    assert ann.may_not_register(authenticatorAttachment="nailed") == MALFORMED
    for name, value in (
        ("attestationObject", b64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b"short"}))),
        ("attestationObject", b64url(NESTED.encode())),
        ("attestationObject", b64url(cbor2.dumps({"fmt": 7, "attStmt": [], "authData": 7}))),
        ("clientDataJSON", b64url(b"[" * 100_000)),
        ("clientDataJSON", b64url(json.dumps([1]).encode())),
    ):
        made = Authenticator().create(ann.starts())
        made["response"][name] = value
        assert ann.may_not(COMPLETE, Credential=made) == MALFORMED


def test_twenty_passkeys_and_no_more(holder):
    """The twenty-first is refused; deleting one makes room; pages go through all in order (spec/api/09 §2)."""
    ann = holder()
    ids = [ann.registers() for _ in range(20)]
    assert ann.may_not_register()[0] == "LimitExceededException"
    assert [passkey["CredentialId"] for passkey in ann.passkeys()] == ids
    pages, more = [], {}
    while more is not None:
        answer = ann.does(LIST, MaxResults=8, **more)
        pages.append([passkey["CredentialId"] for passkey in answer["Credentials"]])
        more = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
    assert pages == [ids[:8], ids[8:16], ids[16:]]
    assert len(ann.does(LIST, MaxResults=0)["Credentials"]) == 20
    ann.does(DELETE, CredentialId=ids[3])
    ids = [*ids[:3], *ids[4:], ann.registers()]
    assert [passkey["CredentialId"] for passkey in ann.passkeys()] == ids


def test_page_tokens_are_bound_to_the_user(holder):
    """A page token continues the list of its own user only."""
    ann = holder()
    bob = holder(pool_id=ann.pool_id)
    for who in (ann, bob):
        who.registers()
        who.registers()
    token = ann.does(LIST, MaxResults=1)["NextToken"]
    invalid = ("InvalidParameterException", "Invalid pagination token given.")
    assert bob.may_not(LIST, NextToken=token) == invalid
    assert bob.may_not(LIST, NextToken="x") == invalid


def test_deleting(holder):
    """A user deletes own passkeys only, each once."""
    ann = holder()
    bob = holder(pool_id=ann.pool_id)
    id = ann.registers()
    assert bob.may_not(DELETE, CredentialId=id) == NOT_FOUND
    ann.does(DELETE, CredentialId=id)
    assert ann.may_not(DELETE, CredentialId=id) == NOT_FOUND
    assert ann.passkeys() == []


def test_a_credential_is_registered_once(holder):
    """A credential that a user of the pool has is refused for everybody there."""
    ann = holder()
    bob = holder(pool_id=ann.pool_id)
    made = Authenticator()
    ann.registers(made)
    for who in (ann, bob):
        assert who.may_not_register(made) == (UNSUPPORTED, "The passkey is registered already.")
    assert bob.passkeys() == []


def test_what_leaves_passkeys_alone(holder, call):
    """They outlast a reset password and a while disabled, and end with the user."""
    ann = holder()
    ann.registers()
    ids = {"UserPoolId": ann.pool_id, "Username": ann.username}
    verified = [{"Name": "email", "Value": "a@x.org"}, {"Name": "email_verified", "Value": "true"}]
    call("AdminUpdateUserAttributes", **ids, UserAttributes=verified)
    call("AdminResetUserPassword", **ids)
    call("AdminDisableUser", **ids)
    call("AdminEnableUser", **ids)
    call("AdminSetUserPassword", **ids, Password="Battery-Staple-2", Permanent=True)
    assert call("AdminGetUserAuthFactors", **ids)["ConfiguredUserAuthFactors"] == ["PASSWORD", "WEB_AUTHN"]
    call("AdminDeleteUser", **ids)
    call("AdminCreateUser", **ids, MessageAction="SUPPRESS")
    assert "WEB_AUTHN" not in call("AdminGetUserAuthFactors", **ids)["ConfiguredUserAuthFactors"]
