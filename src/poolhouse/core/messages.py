"""Messages to users: which words, through which medium, and what others may see of the destination."""

import re
from collections.abc import Callable
from enum import StrEnum
from html import escape
from urllib.parse import urlencode

from msgspec import Struct

from poolhouse.core.pool import Pool
from poolhouse.model import (
    AdminCreateUserConfigType,
    DefaultEmailOptionType,
    DeliveryMediumType,
    EmailMfaConfigType,
    MessageTemplateType,
    SmsMfaConfigType,
    VerificationMessageTemplateType,
)

CODE = "{####}"
USERNAME = "{username}"
# What the CustomMessage trigger is told to put where the link belongs (spec/api/06 §9).
LINK = "{##Click Here##}"
_PLACEHOLDER = re.compile(r"\{####\}|\{username\}|\{##([^{}]*?)##\}")
MEDIUM_OF = {"email": DeliveryMediumType.EMAIL, "phone_number": DeliveryMediumType.SMS}


class MessageKind(StrEnum):
    """Why a message is sent: the part of the trigger source after ``CustomMessage_`` (spec/api/06 §2)."""

    SIGN_UP = "SignUp"
    RESEND_CODE = "ResendCode"
    FORGOT_PASSWORD = "ForgotPassword"
    VERIFY_USER_ATTRIBUTE = "VerifyUserAttribute"
    UPDATE_USER_ATTRIBUTE = "UpdateUserAttribute"
    ADMIN_CREATE_USER = "AdminCreateUser"
    AUTHENTICATION = "Authentication"


class Envelope(Struct, frozen=True, kw_only=True):
    """Whom mail of a pool comes from and who gets the answers; None leaves it to the installation.

    ``sms_region`` is the Region of SNS that the pool's text messages go through, where they go through SNS.
    """

    sender: str | None = None
    reply_to: str | None = None
    sms_region: str | None = None


class Words(Struct, frozen=True):
    """What a message says, with placeholders."""

    body: str
    subject: str | None = None


class Values(Struct, frozen=True, kw_only=True):
    """What takes the place of the placeholders. ``link`` is the address behind ``{##text##}``, None in a message by code."""

    code: str
    username: str
    link: str | None = None


# spec/api/06 §12.2; the trailing spaces are Cognito's.
VERIFICATION = Words("Your verification code is {####}. ", "Your verification code")
VERIFICATION_LINK = Words(
    "Please click the link below to verify your email address. {##Verify Email##} ", "Your verification link"
)
INVITATION = Words("Your username is {username} and temporary password is {####}. ", "Your temporary password")
PASSWORD_RESET = Words("Your password reset code is {####}", "Your password reset code")
EMAIL_AUTHENTICATION = Words("Your authentication code is {####}", "Your authentication code")
SMS_AUTHENTICATION = Words("Your authentication code is {####}. ")


def is_link(pool: Pool, kind: MessageKind, medium: DeliveryMediumType) -> bool:
    """Whether the message holds a link in place of a code.

    Links confirm a sign-up, so only its messages have them; everything else is answered with a code.
    """
    template = pool.settings.verification_message_template
    return (
        template is not None
        and template.default_email_option == DefaultEmailOptionType.CONFIRM_WITH_LINK
        and medium == DeliveryMediumType.EMAIL
        and kind in (MessageKind.SIGN_UP, MessageKind.RESEND_CODE)
    )


def is_link_sure(pool: Pool, medium: DeliveryMediumType | None = None) -> bool:
    """Whether whoever signed up waits for a link, and not for a code that a function of the pool may have sent.

    Without a medium it is the one that the pool verifies by, as long as that is mail alone.
    """
    functions = pool.settings.lambda_config
    if functions is not None and (functions.custom_message or functions.custom_email_sender):
        return False
    if medium is None and "phone_number" in pool.auto_verified:
        return False
    return is_link(pool, MessageKind.SIGN_UP, medium or DeliveryMediumType.EMAIL)


def choose_words(pool: Pool, kind: MessageKind, medium: DeliveryMediumType) -> Words:
    """Return the pool's own words for a message, or the default ones where it has none."""
    if kind == MessageKind.ADMIN_CREATE_USER:
        return _invitation(pool, medium)
    if kind == MessageKind.AUTHENTICATION:
        return _authentication(pool, medium)
    return _verification(pool, kind, medium)


def placeholders(text: str) -> frozenset[str]:
    """Return the placeholders that a text holds: CODE, USERNAME, and LINK for a link with any words of its own."""
    return frozenset(found[0] if found[0] in {CODE, USERNAME} else LINK for found in _PLACEHOLDER.finditer(text))


def is_meant(words: Words, kind: MessageKind, code: str | None) -> bool:
    """Whether a message is to be sent: an invitation with a place for the password is for users who have one.

    Without that place it is for those who sign in without a password (API reference of AdminCreateUser).
    """
    return kind != MessageKind.ADMIN_CREATE_USER or (CODE in words.body) == (code is not None)


def fill(words: Words, values: Values, kind: MessageKind, medium: DeliveryMediumType) -> Words:
    """Put the values in the place of the placeholders. The body of a mail is HTML, so there they are escaped.

    User names have a place in invitations only (spec/api/06 §12.1), and links have none in subjects: what has no place
    stays as it is. Goes through the text once: a placeholder inside a user name stays what it is too.
    """
    quote: Callable[[str], str] = escape if medium == DeliveryMediumType.EMAIL else str
    plain = {CODE: values.code}
    if kind == MessageKind.ADMIN_CREATE_USER:
        plain[USERNAME] = values.username
    quoted = {place: quote(value) for place, value in plain.items()}
    subject = words.subject and _PLACEHOLDER.sub(lambda found: plain.get(found[0], found[0]), words.subject)
    return Words(_PLACEHOLDER.sub(lambda found: quoted.get(found[0]) or _link(found, values.link), words.body), subject)


def confirmation_link(base_url: str, client_id: str, username: str, code: str) -> str:
    """Return the address that confirms a sign-up when it is opened (spec/http/03 §3.4).

    Differs from Cognito (links in mail): the link leads to this server: ``<public URL>/auth/<domain>/confirmUser``, or
    to the domain's own host where POOLHOUSE_AUTH_DOMAIN is set.
    """
    query = urlencode({"client_id": client_id, "user_name": username, "confirmation_code": code})
    return f"{base_url}/confirmUser?{query}"


def envelope_of(pool: Pool) -> Envelope:
    """Return the addresses of the pool's EmailConfiguration, and the Region of its SmsConfiguration.

    Differs from Cognito (mail and text messages): they leave by POOLHOUSE_SMTP_URL and POOLHOUSE_SMS_URL for all pools,
    or stay in the outbox. Of EmailConfiguration, ``From``, ``ReplyToEmailAddress`` and an address in ``SourceArn``
    count, and of SmsConfiguration ``SnsRegion``, where POOLHOUSE_SMS_URL is SNS.
    """
    sms, configuration = pool.settings.sms_configuration, pool.settings.email_configuration
    region = sms.sns_region if sms is not None else None
    if configuration is None:
        return Envelope(sms_region=region)
    # The ARN of a verified address ends in identity/<address>, that of a domain holds no @.
    identity = (configuration.source_arn or "").partition(":identity/")[2]
    sender = configuration.from_ or (identity if "@" in identity else None)
    return Envelope(sender=sender, reply_to=configuration.reply_to_email_address, sms_region=region)


def mask(destination: str) -> str:
    """Return what may be shown of an address: ``t***@t***``, ``+*******9934`` (spec/api/03 §5)."""
    local, at, domain = destination.partition("@")
    if at:
        return f"{local[:1]}***@{domain[:1]}***"
    shown = min(4, len(destination) // 2)
    return destination[:1] + "*" * (len(destination) - 1 - shown) + destination[-shown:]


def _verification(pool: Pool, kind: MessageKind, medium: DeliveryMediumType) -> Words:
    settings = pool.settings
    template = settings.verification_message_template or VerificationMessageTemplateType()
    default = PASSWORD_RESET if kind == MessageKind.FORGOT_PASSWORD else VERIFICATION
    if medium == DeliveryMediumType.SMS:
        return Words(template.sms_message or settings.sms_verification_message or default.body)
    if is_link(pool, kind, medium):
        return Words(
            template.email_message_by_link or VERIFICATION_LINK.body,
            template.email_subject_by_link or VERIFICATION_LINK.subject,
        )
    return Words(
        template.email_message or settings.email_verification_message or default.body,
        template.email_subject or settings.email_verification_subject or default.subject,
    )


def _invitation(pool: Pool, medium: DeliveryMediumType) -> Words:
    configuration = pool.settings.admin_create_user_config or AdminCreateUserConfigType()
    template = configuration.invite_message_template or MessageTemplateType()
    if medium == DeliveryMediumType.SMS:
        return Words(template.sms_message or INVITATION.body)
    return Words(template.email_message or INVITATION.body, template.email_subject or INVITATION.subject)


def _authentication(pool: Pool, medium: DeliveryMediumType) -> Words:
    if medium == DeliveryMediumType.SMS:
        sms = pool.mfa.sms_mfa_configuration or SmsMfaConfigType()
        chosen = sms.sms_authentication_message or pool.settings.sms_authentication_message
        return Words(chosen or SMS_AUTHENTICATION.body)
    email = pool.mfa.email_mfa_configuration or EmailMfaConfigType()
    return Words(email.message or EMAIL_AUTHENTICATION.body, email.subject or EMAIL_AUTHENTICATION.subject)


def _link(found: re.Match[str], link: str | None) -> str:
    if link is None or found[1] is None:
        return found[0]
    return f'<a href="{escape(link)}">{found[1]}</a>'
