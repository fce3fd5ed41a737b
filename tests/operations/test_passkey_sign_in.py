"""Signing in by a passkey, which an authenticator in software has made (spec/api/04 §5)."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.authenticator import RS256, USER_PRESENT, USER_VERIFIED, Authenticator, b64url
from tests.conftest import PASSWORD
from tests.operations.chooser import BOTH, CHOICE, RP, Chooser, first_factors, options_of
from tests.operations.owner import ON, SENDER, TOTP, Owner
from tests.operations.talk import WRONG_PASSWORD

MALFORMED = ("InvalidParameterException", "CREDENTIAL is not a valid AuthenticationResponseJSON.")
INVALID = ("NotAuthorizedException", "Invalid session for the user.")
SPENT = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")


@pytest.fixture
def keyholder(call, pool, app, user):
    """A user with a passkey, in a new pool or a given one."""

    def make(configuration=RP, authenticator=None, pool_id=None):
        if pool_id is None:
            pool_id = pool(**first_factors("WEB_AUTHN"))
            call("SetUserPoolMfaConfig", UserPoolId=pool_id, WebAuthnConfiguration=configuration)
        ann = Chooser(call, app(pool_id, ExplicitAuthFlows=CHOICE), user(pool_id))
        ann.pool_id = pool_id
        ann.registers(authenticator)
        return ann

    return make


def asked_and_made(ann, **changes):
    """A challenge, and what the authenticator answers."""
    asked = ann.begins("WEB_AUTHN")
    return asked, ann.authenticator.get(options_of(asked), **changes)


@pytest.mark.parametrize("authenticator", [Authenticator, lambda: Authenticator(algorithm=RS256)], ids=["EC", "RSA"])
def test_a_passkey_signs_in(keyholder, authenticator):
    """The options name the user's passkeys; the right answer gives tokens, once."""
    ann = keyholder(authenticator=authenticator())
    asked, made = asked_and_made(ann)
    assert (asked["ChallengeName"], asked["AvailableChallenges"][-1]) == ("WEB_AUTHN", "WEB_AUTHN")
    assert list(asked["ChallengeParameters"]) == ["CREDENTIAL_REQUEST_OPTIONS"]
    options = options_of(asked)
    assert len(base64.urlsafe_b64decode(options.pop("challenge") + "=")) == 32
    assert json.dumps(options) == json.dumps(
        {
            "timeout": 60000,
            "rpId": "localhost",
            "allowCredentials": [
                {"id": b64url(ann.authenticator.id), "type": "public-key", "transports": ["internal", "hybrid"]}
            ],
            "userVerification": "preferred",
        }
    )
    assert ann.answers(asked, CREDENTIAL=made)["AuthenticationResult"]["AccessToken"]
    assert ann.may_not_answer(asked, CREDENTIAL=made) == SPENT


def test_a_passkey_is_chosen(keyholder):
    """SELECT_CHALLENGE leads to it; whoever has been asked already may send choice and answer together."""
    ann = keyholder()
    asked = ann.answers(ann.begins(), ANSWER="WEB_AUTHN")
    made = ann.authenticator.get(options_of(asked))
    assert ann.may_not_answer(ann.begins(), ANSWER="WEB_AUTHN", CREDENTIAL=made) == WRONG_PASSWORD
    unasked = ann.authenticator.get(options_of(asked), challenge="")
    assert ann.may_not_answer(ann.begins(), ANSWER="WEB_AUTHN", CREDENTIAL=unasked) == WRONG_PASSWORD
    together = {"ANSWER": "WEB_AUTHN", "CREDENTIAL": made}
    assert ann.answers(asked, "SELECT_CHALLENGE", **together)["AuthenticationResult"]


def test_what_is_no_right_answer(keyholder):
    """Whatever is not signed by the user's passkey, for this challenge, relying party and page, lets nobody in."""
    ann = keyholder()
    bob = keyholder(pool_id=ann.pool_id)
    asked, right = asked_and_made(ann)
    options = options_of(asked)
    other_challenge = options_of(ann.begins("WEB_AUTHN"))["challenge"]
    stranger = Authenticator()
    stranger.public_key()
    wrong = [
        ann.authenticator.get(options, challenge=other_challenge),
        ann.authenticator.get(options, rp_id="example.org"),
        ann.authenticator.get(options, origin="https://example.org"),
        ann.authenticator.get(options, origin="http://localhost.example.org"),
        ann.authenticator.get(options, kind="webauthn.create"),
        ann.authenticator.get(options, response={"signature": b64url(bytes(70))}),
        ann.authenticator.get(options, response={"userHandle": b64url(b"somebody")}),
        bob.authenticator.get(options),
        bob.authenticator.get(options, id=b64url(ann.authenticator.id), rawId=b64url(ann.authenticator.id)),
        stranger.get(options),
    ]
    absent = Authenticator(flags=0)
    absent.id, absent.key = ann.authenticator.id, ann.authenticator.key
    wrong.append(absent.get(options))
    for made in wrong:
        assert ann.may_not_answer(asked, CREDENTIAL=made) == WRONG_PASSWORD
    for made in ("", "{}", "[]", "7", "{", right[:-2], json.dumps({"id": "eA", "rawId": "eA", "type": "public-key"})):
        expected = MALFORMED if made else ("InvalidParameterException", "Missing required parameter CREDENTIAL")
        assert ann.may_not_answer(asked, CREDENTIAL=made) == expected
    assert bob.may_not_answer(asked, CREDENTIAL=right) == INVALID
    without_handle = ann.authenticator.get(options, response={"userHandle": None})
    assert ann.answers(asked, CREDENTIAL=without_handle)["AuthenticationResult"]


def test_a_passkey_that_counts(keyholder):
    """A count that does not go up tells of a copy: also of two answers at the same time one is refused."""
    ann = keyholder()
    ann.authenticator.count = 5
    asked, made = asked_and_made(ann)
    assert ann.answers(asked, CREDENTIAL=made)["AuthenticationResult"]
    for count in (5, 4, 0):
        ann.authenticator.count = count
        asked, made = asked_and_made(ann)
        assert ann.may_not_answer(asked, CREDENTIAL=made) == WRONG_PASSWORD
    both = []
    for _ in range(2):
        ann.authenticator.count = 6
        both.append(asked_and_made(ann))

    def answer(each):
        try:
            return "tokens" if ann.answers(each[0], CREDENTIAL=each[1])["AuthenticationResult"] else "none"
        except ClientError as error:
            return error.response["Error"]["Message"]

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(answer, both)) == [WRONG_PASSWORD[1], "tokens"]


def test_a_passkey_that_is_gone(keyholder, call):
    """A passkey deleted under way counts no more, and then is not offered any more."""
    ann = keyholder()
    asked, made = asked_and_made(ann)
    token = ann.begins("PASSWORD", PASSWORD=PASSWORD)["AuthenticationResult"]["AccessToken"]
    call("DeleteWebAuthnCredential", AccessToken=token, CredentialId=b64url(ann.authenticator.id))
    assert ann.may_not_answer(asked, CREDENTIAL=made) == WRONG_PASSWORD
    assert ann.begins("WEB_AUTHN")["ChallengeName"] == "SELECT_CHALLENGE"


def test_a_user_who_is_barred_under_way(call, pool, app, user, inbox):
    """Who has to reset the password meanwhile is not let in by a passkey, also who never had one to change."""
    pool_id = pool(**first_factors("WEB_AUTHN", "EMAIL_OTP"), EmailConfiguration=SENDER)
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, WebAuthnConfiguration=RP)
    mail = f"barred-{pool_id}@x.org".lower()
    ann = Chooser(
        call, app(pool_id, ExplicitAuthFlows=CHOICE), user(pool_id, password=None, email=mail, email_verified="true")
    )
    asked = ann.begins("EMAIL_OTP")
    token = ann.answers(asked, EMAIL_OTP_CODE=inbox(mail)[-1].code)["AuthenticationResult"]["AccessToken"]
    ann.authenticator = Authenticator()
    options = call("StartWebAuthnRegistration", AccessToken=token)["CredentialCreationOptions"]
    call("CompleteWebAuthnRegistration", AccessToken=token, Credential=ann.authenticator.create(options))
    asked, made = asked_and_made(ann)
    call("AdminResetUserPassword", UserPoolId=pool_id, Username=ann.username)
    assert ann.may_not_answer(asked, CREDENTIAL=made)[0] == "PasswordResetRequiredException"


def test_a_passkey_of_another_relying_party(keyholder, call):
    """One that was made before the relying party changed is not named, and does not count."""
    ann = keyholder()
    asked, made = asked_and_made(ann)
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, WebAuthnConfiguration={"RelyingPartyId": "example.org"})
    assert ann.may_not_answer(asked, CREDENTIAL=made) == WRONG_PASSWORD
    asked = ann.begins("WEB_AUTHN")
    assert options_of(asked)["allowCredentials"] == []
    made = ann.authenticator.get(options_of(asked), origin="https://example.org")
    assert ann.may_not_answer(asked, CREDENTIAL=made) == WRONG_PASSWORD
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id)
    code, _ = ann.may_not_begin("WEB_AUTHN")
    assert code == "InvalidUserPoolConfigurationException"


def test_user_verification_at_sign_in(keyholder):
    """Where the pool requires it, a passkey that did not see who uses it lets nobody in."""
    ann = keyholder(RP | {"UserVerification": "required"})
    asked = ann.begins("WEB_AUTHN")
    assert options_of(asked)["userVerification"] == "required"
    ann.authenticator.flags = USER_PRESENT
    assert ann.may_not_answer(asked, CREDENTIAL=ann.authenticator.get(options_of(asked))) == WRONG_PASSWORD
    bob = keyholder(authenticator=Authenticator(flags=USER_PRESENT))
    asked, made = asked_and_made(bob)
    assert bob.answers(asked, CREDENTIAL=made)["AuthenticationResult"]


def test_a_passkey_for_both_factors(keyholder, call, server):
    """Where MFA is required a passkey signs in whoever has turned that on, with user verification; nobody else's does."""
    server.clock.advance(31 - server.clock.now() // 1000 % 30)
    ann = keyholder(BOTH)
    bob = keyholder(pool_id=ann.pool_id)
    call(
        "SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="OPTIONAL", WebAuthnConfiguration=BOTH, **TOTP
    )
    owner = Owner(server, call, ann.client, ann.pool_id, ann.username)
    owner.has_an_app()
    owner.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    asked, made = asked_and_made(ann)
    assert ann.answers(asked, CREDENTIAL=made)["AuthenticationResult"]
    owner.does("SetUserMFAPreference", WebAuthnMfaSettings=ON)
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="ON", WebAuthnConfiguration=BOTH, **TOTP)
    assert ann.begins("PASSWORD", PASSWORD=PASSWORD)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    asked, made = asked_and_made(ann)
    assert options_of(asked)["userVerification"] == "required"
    ann.authenticator.flags = USER_PRESENT
    assert ann.may_not_answer(asked, CREDENTIAL=ann.authenticator.get(options_of(asked))) == WRONG_PASSWORD
    assert ann.answers(asked, CREDENTIAL=made)["AuthenticationResult"]
    ann.authenticator.flags |= USER_VERIFIED
    asked, made = asked_and_made(ann)
    owner.does("SetUserMFAPreference", WebAuthnMfaSettings={"Enabled": False})
    assert ann.answers(asked, CREDENTIAL=made)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert bob.begins("WEB_AUTHN")["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]


def test_nobodys_passkey(keyholder, call, app):
    """Whom nobody knows is asked for a passkey as others are, always the same one, and none is right."""
    ann = keyholder()
    client = app(ann.pool_id, ExplicitAuthFlows=CHOICE, PreventUserExistenceErrors="ENABLED")
    names = (f"nobody-{number}" for number in range(99))
    known = (Chooser(call, client, name) for name in names)
    nobody = next(who for who in known if who.begins("WEB_AUTHN")["ChallengeName"] == "WEB_AUTHN")
    asked = nobody.begins("WEB_AUTHN")
    options, again = options_of(asked), options_of(nobody.begins("WEB_AUTHN"))
    assert options.keys() == options_of(ann.begins("WEB_AUTHN")).keys()
    assert options["challenge"] != again["challenge"]
    assert options["allowCredentials"] == again["allowCredentials"]
    assert len(options["allowCredentials"][0]["id"]) == len(b64url(ann.authenticator.id))
    id = options["allowCredentials"][0]["id"]
    made = ann.authenticator.get(options, id=id, rawId=id)
    for credential in (made, ann.authenticator.get(options)):
        assert nobody.may_not_answer(asked, CREDENTIAL=credential) == WRONG_PASSWORD
    assert nobody.may_not_answer(asked, CREDENTIAL="{}") == MALFORMED
