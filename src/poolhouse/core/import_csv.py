"""The CSV files of user import jobs: their header, their rows, and the user that a row makes (spec/api/08 §3, §4)."""

import re
from collections.abc import Mapping
from datetime import date

import msgspec
from msgspec import Struct

from poolhouse.core.aliases import (
    CLASH,
    alias_key,
    alias_keys_for,
    choose_username,
    find_username_attribute,
    fold_username,
    names_of,
)
from poolhouse.core.attributes import check_new
from poolhouse.core.factors import PHONE_NUMBER, SMS, is_offered
from poolhouse.core.import_jobs import TOO_MANY_ROWS, UNREADABLE
from poolhouse.core.password_hashes import HashRefused, check_hash
from poolhouse.core.pool import Pool
from poolhouse.core.schema import MAX_STRING
from poolhouse.core.user import NO_FACTORS, Credentials, Factors, Names, User
from poolhouse.model import (
    InvalidParameterException,
    PasswordHashingAlgorithmType,
    UsernameType,
    UserPoolMfaType,
    UserStatusType,
)

MFA_ENABLED, USERNAME, PASSWORD_HASH = "cognito:mfa_enabled", "cognito:username", "cognito:password_hash"
MAX_ROW = 16_000
MAX_ROWS = 500_000
BYTE_ORDER_MARK = "\ufeff"
EXISTS = "The user already exists."
UNVERIFIED = (
    "The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true)."
)

_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_COMMA = re.compile(r"(?<!\\),")
_UUID_LENGTH = 36
_MFA_WANTED = {UserPoolMfaType.ON: "true", UserPoolMfaType.OFF: "false"}


class FileRefused(Exception):
    """The whole file cannot be imported; the text is for the log, and quotes nothing of the file.

    ``message`` is what the job says at its end.
    """

    def __init__(self, text: str, message: str = UNREADABLE) -> None:
        super().__init__(text)
        self.message = message


class RowRefused(Exception):
    """A row makes no user; the text is for the log, and quotes nothing of the row."""


class Plan(Struct, frozen=True, kw_only=True):
    """What rows are read by: the pool as it is, the order of the columns, and what the hashes are."""

    pool: Pool
    columns: tuple[str, ...]
    hashing: PasswordHashingAlgorithmType | None = None


class Newcomer(Struct, frozen=True, kw_only=True):
    """The user that a row makes. ``wanted`` are alias keys under which nobody may be found yet."""

    name: str
    user: User
    names: Names
    wanted: tuple[str, ...]
    preferred: str | None

    @property
    def usernames(self) -> tuple[str, ...]:
        """The user names that must not be taken."""
        return (self.name,) if self.preferred is None else (self.name, self.preferred)

    @property
    def may_be_sub(self) -> bool:
        """Whether the name could be the ``sub`` of somebody else."""
        return len(self.name) == _UUID_LENGTH


class Taken(Struct):
    """The names that users of the pool have, as far as a batch asks for them."""

    usernames: set[str]
    subs: set[str]
    aliases: set[str]

    def add(self, newcomer: Newcomer) -> None:
        """Note the names of a user who was just let in."""
        self.usernames.add(newcomer.user.username)
        self.aliases |= newcomer.names.aliases


class AlreadyThere(Exception):
    """The user exists: the row is skipped."""


def header_of(pool: Pool) -> list[str]:
    """Return the columns of a pool's import files, in Cognito's order."""
    return [*(name for name in pool.schema if name != "sub"), MFA_ENABLED, USERNAME]


def read_header(pool: Pool, hashing: PasswordHashingAlgorithmType | None, raw: bytes | None) -> tuple[str, ...]:
    """Return the columns of a file in their order; raises FileRefused.

    All of the pool's columns must be there, once each, and no others. With a hashing algorithm there is one more.
    """
    if raw is None:
        raise FileRefused("The header is too long.")
    try:
        line = raw.decode()
    except UnicodeError:
        raise FileRefused("The header is not UTF-8.") from None
    if line.startswith(BYTE_ORDER_MARK):
        raise FileRefused("The file begins with a byte order mark.")
    columns = tuple(split_row(line))
    wanted = header_of(pool) + ([PASSWORD_HASH] if hashing else [])
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise FileRefused(f"The header lacks the columns {', '.join(missing)}.")
    if len(columns) > len(wanted):
        raise FileRefused("The header has columns that are no attributes of the user pool, or a column twice.")
    return columns


def check_rows(count: int) -> None:
    """Check that a file has no more rows than a job may import; raises FileRefused."""
    if count > MAX_ROWS:
        raise FileRefused(f"The file has more than {MAX_ROWS} rows.", TOO_MANY_ROWS)


def split_row(line: str) -> list[str]:
    """Return the values of a line without the white space around them; a comma inside one has a backslash before it."""
    if "\\," not in line:
        return [value.strip() for value in line.split(",")]
    return [value.replace("\\,", ",").strip() for value in _COMMA.split(line)]


def read_row(plan: Plan, line: str, sub: str, now: int) -> Newcomer:
    """Return the user that a line makes; raises RowRefused."""
    if len(line) > MAX_ROW:
        raise RowRefused(f"The row is longer than {MAX_ROW} characters.")
    values = split_row(line)
    if len(values) != len(plan.columns):
        raise RowRefused(f"The row has {len(values)} values; the header has {len(plan.columns)} columns.")
    given = {column: value for column, value in zip(plan.columns, values, strict=True) if value}
    name = given.pop(USERNAME, "")
    _check_name(name)
    mfa = _read_mfa(plan.pool, given.pop(MFA_ENABLED, ""))
    hashed = given.pop(PASSWORD_HASH, None)
    if hashed is not None and plan.hashing is not None:
        _check_hash(plan.hashing, hashed)
    if "birthdate" in given:
        given["birthdate"] = _read_date(given["birthdate"])
    username, attributes = _read_user(plan.pool, name, given, sub)
    user = User(
        pool_id=plan.pool.id,
        sub=sub,
        username=username,
        status=UserStatusType.RESET_REQUIRED if hashed is None else UserStatusType.CONFIRMED,
        attributes=attributes,
        factors=_factors(plan.pool, attributes) if mfa else NO_FACTORS,
        credentials=Credentials() if hashed is None else Credentials(password_hash=hashed, password_set_at=now),
        created_at=now,
        modified_at=now,
    )
    return _newcomer(plan.pool, name, user)


def find_refusal(pool: Pool, newcomer: Newcomer, taken: Taken) -> str | None:
    """Return why a user cannot be let in, None where it can; raises AlreadyThere where it is there.

    The rules are those of AdminCreateUser: ``flows.users.check_name_free`` and ``insert_user``.
    """
    if newcomer.name in taken.usernames or newcomer.name in taken.subs or not taken.aliases.isdisjoint(newcomer.wanted):
        raise AlreadyThere
    if newcomer.preferred is not None and newcomer.preferred in taken.usernames:
        return CLASH.format("preferred_username")
    for alias in sorted(newcomer.names.aliases & taken.aliases):
        attribute = alias.partition(":")[0]
        if attribute in pool.username_attributes:
            raise AlreadyThere
        return CLASH.format(attribute)
    return None


def _newcomer(pool: Pool, name: str, user: User) -> Newcomer:
    attribute = find_username_attribute(pool, name)
    wanted = alias_keys_for(pool, name) if attribute is None else (alias_key(pool, attribute, name),)
    wished = user.attributes.get("preferred_username") if "preferred_username" in pool.alias_attributes else None
    return Newcomer(
        name=fold_username(pool, name),
        user=user,
        names=names_of(pool, user),
        wanted=wanted,
        preferred=None if wished is None else fold_username(pool, wished),
    )


def _check_name(name: str) -> None:
    try:
        msgspec.convert(name, UsernameType)
    except msgspec.ValidationError:
        raise RowRefused(f"{USERNAME} is missing or not valid.") from None


def _read_mfa(pool: Pool, given: str) -> bool:
    """Return what the column says: the same for all where the pool settles it, either one where MFA is optional."""
    value = given.lower()
    wanted = _MFA_WANTED.get(pool.mfa.mfa_configuration or UserPoolMfaType.OFF)
    if value not in {"true", "false"}:
        raise RowRefused(f"{MFA_ENABLED} must be true or false.")
    if wanted is not None and value != wanted:
        raise RowRefused(f"{MFA_ENABLED} must be {wanted}, as the user pool's MFA configuration is.")
    return value == "true"


def _factors(pool: Pool, attributes: Mapping[str, str]) -> Factors:
    """Return the factors of a user with MFA: text messages, since nothing else can be had without the user."""
    by_phone = is_offered(pool, SMS) and bool(attributes.get(PHONE_NUMBER))
    return Factors(active=(SMS,)) if by_phone else NO_FACTORS


def _check_hash(hashing: PasswordHashingAlgorithmType, hashed: str) -> None:
    try:
        check_hash(hashing, hashed)
    except HashRefused as refused:
        raise RowRefused(str(refused)) from None


def _read_date(text: str) -> str:
    """Return a date of the file as attributes have it, year first (OpenID Connect Core §5.1)."""
    found = _DATE.fullmatch(text)
    try:
        if found is not None:
            return date(int(found[3]), int(found[1]), int(found[2])).isoformat()
    except ValueError:
        pass
    raise RowRefused("birthdate must be a date of the form mm/dd/yyyy.")


def _read_user(pool: Pool, name: str, given: dict[str, str], sub: str) -> tuple[str, dict[str, str]]:
    """Return the stored name and attributes; raises RowRefused."""
    for attribute, value in given.items():
        if len(value) > MAX_STRING:
            raise RowRefused(f"{attribute}: String must be no longer than {MAX_STRING} characters")
    try:
        username, named = choose_username(pool, name, given, sub)
        attributes = check_new(pool, named, complete=True)
    except InvalidParameterException as refused:
        raise RowRefused(" ".join(refused.message.split())) from None
    _check_verified(pool, attributes)
    return username, attributes


def _check_verified(pool: Pool, attributes: Mapping[str, str]) -> None:
    if not any(attributes.get(f"{contact}_verified") == "true" for contact in pool.auto_verified):
        raise RowRefused(UNVERIFIED)
