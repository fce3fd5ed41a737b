"""What changed attributes do to a user: new contacts are unverified, or wait until they are verified."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.aliases import CONTACTS
from poolhouse.core.attributes import check_verified_flags, without
from poolhouse.core.pool import Pool
from poolhouse.core.session import ConfirmationCode
from poolhouse.core.user import User

FLAGS = {f"{contact}_verified": contact for contact in CONTACTS}


class Change(Struct, frozen=True):
    """A user after a change, and the contacts whose new values are to be verified by a code."""

    user: User
    to_verify: tuple[str, ...] = ()


def waiting_contacts(pool: Pool) -> frozenset[str]:
    """Return the contacts whose new value counts only once verified (AttributesRequireVerificationBeforeUpdate)."""
    settings = pool.settings.user_attribute_update_settings
    return frozenset((settings and settings.attributes_require_verification_before_update) or ())


def decide_changes(pool: Pool, user: User, changes: Mapping[str, str], now: int) -> Change:
    """Return what checked changes make of a user; blank values delete (spec/api/03 §9.1, §9.2).

    Raises InvalidParameterException where a contact would be verified without being there.
    """
    gone = [name for name, value in changes.items() if not value]
    attributes = without(user.attributes, gone)
    pending = {name: value for name, value in user.pending.items() if name not in gone}
    attributes |= {name: value for name, value in changes.items() if value and name not in (*CONTACTS, *FLAGS)}
    to_verify = []
    for contact in CONTACTS:
        if changes.get(contact):
            must_verify = _change_contact(pool, contact, changes, attributes, pending)
            to_verify += [contact] * must_verify
    for flag, contact in FLAGS.items():
        if changes.get(flag) and contact not in to_verify:
            attributes[flag] = changes[flag]
    check_verified_flags(changes, attributes)
    return Change(replace(user, attributes=attributes, pending=pending, modified_at=now), tuple(to_verify))


def _change_contact(
    pool: Pool, contact: str, changes: Mapping[str, str], attributes: dict[str, str], pending: dict[str, str]
) -> bool:
    """Put the new value of a contact where it belongs; say whether a code must be sent to it."""
    flag, value = f"{contact}_verified", changes[contact]
    unchanged = value == attributes.get(contact)
    pending.pop(contact, None)
    if changes.get(flag) == "true" or (unchanged and attributes.get(flag) == "true"):
        attributes[contact] = value
        return False
    if contact in waiting_contacts(pool) and not unchanged:
        pending[contact] = value
        return True
    attributes[contact] = value
    attributes[flag] = "false"
    return contact in pool.auto_verified


def decide_deletion(user: User, names: list[str], now: int) -> User:
    """Return a user without some attributes."""
    pending = {name: value for name, value in user.pending.items() if name not in names}
    return replace(user, attributes=without(user.attributes, names), pending=pending, modified_at=now)


def find_value_to_verify(user: User, contact: str) -> str | None:
    """Return the value of a contact that a code should go to: the one that waits, else the present one."""
    return user.pending.get(contact) or user.attributes.get(contact)


def find_verified(user: User, stored: ConfirmationCode, now: int) -> User | None:
    """Return a user as the right code leaves it; None where the value that it went to is the user's no more."""
    contact, value = stored.attribute, stored.destination
    if value not in {user.pending.get(contact), user.attributes.get(contact)}:
        return None
    pending = {name: waiting for name, waiting in user.pending.items() if (name, waiting) != (contact, value)}
    attributes = user.attributes | {contact: value, f"{contact}_verified": "true"}
    return replace(user, attributes=attributes, pending=pending, modified_at=now)
