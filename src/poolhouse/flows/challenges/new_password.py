"""NEW_PASSWORD_REQUIRED: a password of the user's own, and the attributes still missing (spec/api/04 §4)."""

import json
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from poolhouse.core.attributes import check_new, check_writable, readable, schema_of
from poolhouse.core.passwords import check_policy
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import Proof
from poolhouse.core.user import Credentials, User
from poolhouse.flows import compromised
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required
from poolhouse.flows.passwords import check_history, make_credentials
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import EventFilterType, InvalidParameterException, NotAuthorizedException, UserStatusType
from poolhouse.storage import Tx

PREFIX = "userAttributes."


async def ask(talk: Talk, _: Mapping[str, str]) -> Question:
    """Show which required attributes are missing and what the user has already."""
    assert talk.user is not None
    attributes = talk.user.attributes
    allowed = readable(talk.pool, talk.client)
    shown = {name: value for name, value in attributes.items() if name in allowed}
    missing = [PREFIX + name for name in _missing(talk.pool, attributes)]
    return Question(
        {
            "USER_ID_FOR_SRP": talk.user.username,
            "requiredAttributes": _json(missing),
            "userAttributes": _json(shown),
        }
    )


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check the new password and the attributes given with it.

    Raises InvalidPasswordException, PasswordHistoryPolicyViolationException, InvalidParameterException,
    NotAuthorizedException.
    """
    user, pool = talk.user, talk.pool
    assert user is not None
    password = required(answer, "NEW_PASSWORD")
    check_policy(pool, password)
    given = {name.removeprefix(PREFIX): value for name, value in answer.items() if name.startswith(PREFIX)}
    added = _checked_attributes(talk, user, given)
    compromised.check(await compromised.look_up(talk.entry, EventFilterType.PASSWORD_CHANGE, password))
    await check_history(talk.call, pool, user.credentials, password)
    credentials = await make_credentials(talk.call, pool, user.username, password, user.credentials)

    def keep(tx: Tx) -> None:
        stored = get_user_again(tx, user)
        if stored.credentials != user.credentials or stored.status != user.status:
            raise NotAuthorizedException("Invalid session for the user.")
        save_user(tx, pool, _changed(stored, credentials, added, talk.call.now))

    changed = _changed(user, credentials, added, talk.call.now)
    return Proved(changed, talk.progress.having(Proof.NEW_PASSWORD), (keep,))


def _checked_attributes(talk: Talk, user: User, given: Mapping[str, str]) -> dict[str, str]:
    for name in given:
        if user.attributes.get(name):
            raise NotAuthorizedException(f"Cannot modify an already provided {name}")
    check_writable(talk.pool, talk.client, given)
    added = check_new(talk.pool, given, complete=False)
    for name in _missing(talk.pool, user.attributes | added):
        raise InvalidParameterException(f"Invalid attributes given, {name} is missing")
    return added


def _missing(pool: Pool, attributes: Mapping[str, str]) -> list[str]:
    return [
        name for name, entry in schema_of(pool).items() if entry.required and name != "sub" and not attributes.get(name)
    ]


def _changed(user: User, credentials: Credentials, added: Mapping[str, str], now: int) -> User:
    return replace(
        user,
        status=UserStatusType.CONFIRMED,
        credentials=credentials,
        attributes={**user.attributes, **added},
        modified_at=now,
    )


def _json(value: Iterable[str] | Mapping[str, str]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
