"""Messages in the words of a pool's CustomMessage function: what it is asked, and what it may answer (spec/api/06 §9)."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from poolhouse.core.events_auth import metadata_member
from poolhouse.core.messages import CODE, LINK, USERNAME, MessageKind, Words, placeholders
from poolhouse.core.pool import Pool
from poolhouse.core.trigger_events import UNRECOGNIZABLE
from poolhouse.model import DeliveryMediumType, EmailSendingAccountType, InvalidLambdaResponseException

# What a member holds at most, in characters.
_LONGEST = {"smsMessage": 140, "emailMessage": 20_000, "emailSubject": 140}
_MAIL = ("emailMessage", "emailSubject")


def message_request(
    attributes: Mapping[str, str], kind: MessageKind, client_metadata: dict[str, str] | None
) -> dict[str, Any]:
    """Return what the function is asked. It gets the places of code and link, never what will stand there."""
    return {
        "userAttributes": attributes,
        "codeParameter": CODE,
        "linkParameter": LINK,
        "usernameParameter": USERNAME if kind == MessageKind.ADMIN_CREATE_USER else None,
        **metadata_member(client_metadata),
    }


def customised(
    words: Words,
    response: dict[str, Any] | None,
    kind: MessageKind,
    medium: DeliveryMediumType,
    *,
    places: frozenset[str],
) -> Words:
    """Return the words after the function's answer; each member that is null keeps the pool's.

    ``places`` holds the placeholders of which one must be there: of the code, of the link where one is due, none where
    there is neither. An invitation also needs that of the user name; one that lacks a placeholder keeps all of the
    pool's words, as the developer guide has it. Of the members only those of the medium count.
    Raises InvalidLambdaResponseException where a member is no text or too long, or another message lacks a placeholder.
    """
    if response is None:
        return words
    given = {name: response.get(name) for name in _LONGEST}
    if any(text is not None and not isinstance(text, str) for text in given.values()):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    used = ("smsMessage",) if medium == DeliveryMediumType.SMS else _MAIL
    for name in used:
        if len(given[name] or "") > _LONGEST[name]:
            raise InvalidLambdaResponseException(f"{name} must not be longer than {_LONGEST[name]} characters")
    body, subject = given[used[0]], given[used[1]] if len(used) > 1 else None
    if body is not None and not _is_complete(body, kind, places):
        if kind == MessageKind.ADMIN_CREATE_USER:
            return words
        raise InvalidLambdaResponseException("The message does not hold every required placeholder")
    return replace(words, body=body or words.body, subject=subject or words.subject)


def code_places(code: str | None, *, by_link: bool) -> frozenset[str]:
    """Return the placeholders that may carry a code to the user; none for a user who gets no code."""
    if code is None:
        return frozenset()
    return frozenset({CODE, LINK} if by_link else {CODE})


def is_mail_own(pool: Pool) -> bool:
    """Whether the pool sends its mail itself, by its EmailSendingAccount."""
    email = pool.settings.email_configuration
    return email is not None and email.email_sending_account is EmailSendingAccountType.DEVELOPER


def check_no_mail(response: dict[str, Any] | None) -> None:
    """Check as Cognito does that a pool whose mail Cognito sends has no words for it (spec/api/06 §1.2).

    Raises InvalidLambdaResponseException.

    Differs from Cognito (CustomMessage): a pool whose EmailSendingAccount is COGNITO_DEFAULT can have its mail in the
    function's words, unless POOLHOUSE_STRICT is set; all mail leaves by POOLHOUSE_SMTP_URL anyway.
    """
    if any((response or {}).get(name) is not None for name in _MAIL):
        raise InvalidLambdaResponseException("emailMessage and emailSubject need the EmailSendingAccount DEVELOPER")


def _is_complete(body: str, kind: MessageKind, places: frozenset[str]) -> bool:
    found = placeholders(body)
    named = kind != MessageKind.ADMIN_CREATE_USER or USERNAME in found
    return named and (not places or not found.isdisjoint(places))
