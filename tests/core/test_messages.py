"""The words of messages: the defaults to the byte, the pool's own, and what becomes of placeholders."""

import pytest

from poolhouse.core.messages import (
    MessageKind,
    Values,
    Words,
    choose_words,
    confirmation_link,
    envelope_of,
    fill,
    is_link,
    is_link_sure,
    mask,
)
from poolhouse.core.pool import Pool
from poolhouse.core.simulation import simulated_destination
from poolhouse.model import (
    AccountRecoverySettingType,
    AdminCreateUserConfigType,
    DefaultEmailOptionType,
    DeliveryMediumType,
    EmailConfigurationType,
    EmailMfaConfigType,
    GetUserPoolMfaConfigResponse,
    LambdaConfigType,
    MessageTemplateType,
    RecoveryOptionNameType,
    RecoveryOptionType,
    SmsMfaConfigType,
    UserPoolType,
    VerificationMessageTemplateType,
)

EMAIL, SMS = DeliveryMediumType.EMAIL, DeliveryMediumType.SMS
INVITES = MessageKind.ADMIN_CREATE_USER
CODES = [kind for kind in MessageKind if kind not in (MessageKind.ADMIN_CREATE_USER, MessageKind.AUTHENTICATION)]
BY_CODE = [kind for kind in CODES if kind != MessageKind.FORGOT_PASSWORD]


def pool(mfa: GetUserPoolMfaConfigResponse | None = None, **settings: object) -> Pool:
    return Pool(
        id="us-east-1_AbCdEfGhI",
        settings=UserPoolType(**settings),
        mfa=mfa or GetUserPoolMfaConfigResponse(),
        device_group_key="-12345678",
    )


LINKS = VerificationMessageTemplateType(default_email_option=DefaultEmailOptionType.CONFIRM_WITH_LINK)


@pytest.mark.parametrize("kind", BY_CODE)
def test_default_verification(kind: MessageKind):
    """Verification says Cognito's words, the trailing blank included (spec/api/06 §12.2)."""
    assert choose_words(pool(), kind, EMAIL) == Words("Your verification code is {####}. ", "Your verification code")
    assert choose_words(pool(), kind, SMS) == Words("Your verification code is {####}. ")


def test_default_invitation():
    """An invitation says Cognito's words."""
    body = "Your username is {username} and temporary password is {####}. "

    assert choose_words(pool(), MessageKind.ADMIN_CREATE_USER, EMAIL) == Words(body, "Your temporary password")
    assert choose_words(pool(), MessageKind.ADMIN_CREATE_USER, SMS) == Words(body)


def test_default_authentication():
    """A second factor's message says Cognito's words."""
    kind = MessageKind.AUTHENTICATION

    assert choose_words(pool(), kind, EMAIL) == Words("Your authentication code is {####}", "Your authentication code")
    assert choose_words(pool(), kind, SMS) == Words("Your authentication code is {####}. ")


def test_default_password_reset():
    """Without a template of the pool a password reset has words of its own."""
    kind = MessageKind.FORGOT_PASSWORD

    assert choose_words(pool(), kind, EMAIL) == Words("Your password reset code is {####}", "Your password reset code")
    assert choose_words(pool(), kind, SMS) == Words("Your password reset code is {####}")


def test_default_link():
    """By link, signing up says Cognito's words."""
    assert choose_words(pool(verification_message_template=LINKS), MessageKind.SIGN_UP, EMAIL) == Words(
        "Please click the link below to verify your email address. {##Verify Email##} ", "Your verification link"
    )


@pytest.mark.parametrize("kind", CODES)
def test_the_pools_template_comes_first(kind: MessageKind):
    """VerificationMessageTemplate wins over the older members, which win over the defaults; reset included."""
    older = {
        "email_verification_message": "old {####}",
        "email_verification_subject": "old",
        "sms_verification_message": "old sms {####}",
    }
    template = VerificationMessageTemplateType(
        email_message="new {####}", email_subject="new", sms_message="new sms {####}"
    )
    both = pool(verification_message_template=template, **older)

    assert choose_words(pool(**older), kind, EMAIL) == Words("old {####}", "old")
    assert choose_words(pool(**older), kind, SMS) == Words("old sms {####}")
    assert choose_words(both, kind, EMAIL) == Words("new {####}", "new")
    assert choose_words(both, kind, SMS) == Words("new sms {####}")


def test_the_pools_invitation_and_second_factor():
    """Invitations and second factors have templates of their own."""
    invites = pool(
        admin_create_user_config=AdminCreateUserConfigType(
            invite_message_template=MessageTemplateType(
                email_message="{username} {####}", email_subject="come", sms_message="sms {username} {####}"
            )
        )
    )
    factors = pool(
        GetUserPoolMfaConfigResponse(
            sms_mfa_configuration=SmsMfaConfigType(sms_authentication_message="use {####}"),
            email_mfa_configuration=EmailMfaConfigType(message="mail {####}", subject="factor"),
        ),
        sms_authentication_message="older {####}",
    )

    assert choose_words(invites, MessageKind.ADMIN_CREATE_USER, EMAIL) == Words("{username} {####}", "come")
    assert choose_words(invites, MessageKind.ADMIN_CREATE_USER, SMS) == Words("sms {username} {####}")
    assert choose_words(factors, MessageKind.AUTHENTICATION, SMS) == Words("use {####}")
    assert choose_words(factors, MessageKind.AUTHENTICATION, EMAIL) == Words("mail {####}", "factor")
    assert choose_words(pool(sms_authentication_message="older {####}"), MessageKind.AUTHENTICATION, SMS) == Words(
        "older {####}"
    )


@pytest.mark.parametrize("kind", MessageKind)
def test_links_are_for_mail_that_confirms_a_sign_up(kind: MessageKind):
    """Only mail that confirms a sign-up holds a link; a text message or a reset holds a code."""
    linked = pool(verification_message_template=LINKS)

    assert is_link(linked, kind, EMAIL) == (kind in {MessageKind.SIGN_UP, MessageKind.RESEND_CODE})
    assert not is_link(linked, kind, SMS)
    assert not is_link(pool(), kind, EMAIL)


def test_a_page_waits_for_a_link_only_where_nothing_else_can_have_been_sent():
    """Functions may mail a code all the same, and a telephone number gets one."""
    both = ["email", "phone_number"]
    linked = {"verification_message_template": LINKS}

    assert is_link_sure(pool(**linked))
    assert not is_link_sure(pool())
    assert not is_link_sure(pool(**linked, auto_verified_attributes=both))
    assert is_link_sure(pool(**linked, auto_verified_attributes=both), EMAIL)
    assert not is_link_sure(pool(**linked), SMS)
    assert not is_link_sure(pool(**linked, lambda_config=LambdaConfigType(custom_message="arn")), EMAIL)


def test_placeholders_are_filled_once():
    """A user who is called like a placeholder gets neither the code twice nor a link."""
    values = Values(code="123456", username="{####}{##x##}")

    assert fill(Words("{username} {####}{####}", "s {####}"), values, INVITES, SMS) == Words(
        "{####}{##x##} 123456123456", "s 123456"
    )


@pytest.mark.parametrize("kind", MessageKind)
def test_user_names_have_a_place_in_invitations(kind: MessageKind):
    """In any other message ``{username}`` stays as it is (spec/api/06 §12.1)."""
    name = "ann" if kind is INVITES else "{username}"
    filled = fill(Words("{username} {####}", "{username}"), Values(code="1", username="ann"), kind, EMAIL)

    assert filled == Words(f"{name} 1", name)


def test_links_have_no_place_in_subjects():
    """A subject is no HTML."""
    link = "https://auth.example.org/confirmUser"
    values = Values(code="1", username="ann", link=link)

    assert fill(Words("{##go##}", "{####} {##go##}"), values, MessageKind.SIGN_UP, EMAIL) == Words(
        f'<a href="{link}">go</a>', "1 {##go##}"
    )


def test_mail_bodies_are_html():
    """Names and passwords are escaped in a mail's body, not in its subject, and not in a text message."""
    values = Values(code="<Ab&1>", username="<b>")
    words = Words("{username} {####}", "{####}")

    assert fill(words, values, INVITES, EMAIL) == Words("&lt;b&gt; &lt;Ab&amp;1&gt;", "<Ab&1>")
    assert fill(words, values, INVITES, SMS) == Words("<b> <Ab&1>", "<Ab&1>")


def test_links_are_filled_in():
    """A link placeholder becomes a link with its own text."""
    link = confirmation_link("https://auth.example.org", "38fjsnc484p94kpqsnet7mpld0", "ann+1@x.org", "123456")
    values = Values(code="123456", username="ann", link=link)
    filled = fill(Words("Please {##click <b>here</b>##}!"), values, MessageKind.SIGN_UP, EMAIL)

    assert link == (
        "https://auth.example.org/confirmUser"
        "?client_id=38fjsnc484p94kpqsnet7mpld0&user_name=ann%2B1%40x.org&confirmation_code=123456"
    )
    assert filled.body == f'Please <a href="{link.replace("&", "&amp;")}">click <b>here</b></a>!'


def test_without_a_link_its_place_stays():
    """A message by code leaves a link's place as it is, since nothing could be put there."""
    values = Values(code="1", username="ann")

    assert fill(Words("{####} {##here##}"), values, MessageKind.SIGN_UP, EMAIL).body == "1 {##here##}"


@pytest.mark.parametrize(
    ("destination", "masked"),
    [
        ("testuser@test.com", "t***@t***"),
        ("a@b", "a***@b***"),
        ("+15551239934", "+*******9934"),
        ("+4915112345678", "+*********5678"),
        ("+1234", "+**34"),
    ],
)
def test_destinations_are_masked(destination: str, masked: str):
    """Masks show what Cognito's show (spec/api/03 §5)."""
    assert mask(destination) == masked


def test_addresses_of_the_pool():
    """The pool says whom its mail comes from: From, else the address of SourceArn."""
    arn = "arn:aws:ses:us-east-1:000000000000:identity/"

    assert envelope_of(pool()).sender is None
    assert envelope_of(
        pool(email_configuration=EmailConfigurationType(from_="A <a@x.org>", reply_to_email_address="r@x.org"))
    ) == type(envelope_of(pool()))(sender="A <a@x.org>", reply_to="r@x.org")
    assert envelope_of(pool(email_configuration=EmailConfigurationType(source_arn=f"{arn}b@x.org"))).sender == "b@x.org"
    assert envelope_of(pool(email_configuration=EmailConfigurationType(source_arn=f"{arn}x.org"))).sender is None


def recovery(*names: RecoveryOptionNameType) -> AccountRecoverySettingType:
    options = [RecoveryOptionType(name=name, priority=number) for number, name in enumerate(names, 1)]
    return AccountRecoverySettingType(recovery_mechanisms=options)


PHONE_FIRST = recovery(RecoveryOptionNameType.verified_phone_number, RecoveryOptionNameType.verified_email)
MAIL_FIRST = recovery(RecoveryOptionNameType.verified_email, RecoveryOptionNameType.verified_phone_number)


@pytest.mark.parametrize(
    ("settings", "attribute"),
    [
        ({}, "email"),
        ({"account_recovery_setting": MAIL_FIRST}, "email"),
        ({"account_recovery_setting": PHONE_FIRST}, "phone_number"),
        ({"account_recovery_setting": MAIL_FIRST, "auto_verified_attributes": ["phone_number"]}, "phone_number"),
        ({"account_recovery_setting": PHONE_FIRST, "auto_verified_attributes": ["email"]}, "email"),
        ({"account_recovery_setting": recovery(RecoveryOptionNameType.admin_only)}, "email"),
    ],
)
def test_simulated_medium_follows_the_pool(settings: dict[str, object], attribute: str):
    """For a name that is no address the pool's settings say where a code seems to go."""
    simulated = simulated_destination(pool(**settings), "ann", b"\x01\x02\x03\x04")

    assert simulated[0] == attribute
    assert len(simulated[1]) == (12 if attribute == "phone_number" else 9)


def test_simulated_address_follows_the_name():
    """A name that is an address seems to get the code itself."""
    assert simulated_destination(pool(), "ann@x.org", b"1234") == ("email", "a***@x***")
    assert simulated_destination(pool(), "+15551239934", b"1234") == ("phone_number", "+*******9934")
