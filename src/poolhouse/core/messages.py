"""Messages to users: what is sent, in which words."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class MessageKind(StrEnum):
    """Why a message is sent: the part of the trigger source after ``CustomMessage_`` (spec/api/06 §2)."""

    SIGN_UP = "SignUp"
    RESEND_CODE = "ResendCode"
    FORGOT_PASSWORD = "ForgotPassword"
    VERIFY_USER_ATTRIBUTE = "VerifyUserAttribute"
    UPDATE_USER_ATTRIBUTE = "UpdateUserAttribute"
    ADMIN_CREATE_USER = "AdminCreateUser"
    AUTHENTICATION = "Authentication"


class Message(Struct, frozen=True, kw_only=True):
    """A message to a user. ``at`` is in milliseconds.

    ``code`` is the bare code or temporary password in ``body``. ``template`` is the MessageKind.
    ``sender`` and ``reply_to`` are addresses of the pool's own EmailConfiguration.
    """

    id: str
    at: int
    channel: Literal["EMAIL", "SMS"]
    to: str
    subject: str | None = None
    body: str
    code: str | None = None
    template: str
    user_pool_id: str
    username: str
    sender: str | None = None
    reply_to: str | None = None
