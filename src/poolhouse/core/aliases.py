"""Sign-in names: which index entries a user has, and which entries a given name may mean (spec/api/03 §11).

A user who came into being by signing in at a provider answers to the user name alone: what the provider says of
addresses takes nobody's sign-in name.
"""

from hashlib import sha256

from poolhouse.core.identities import is_profile
from poolhouse.core.pool import Pool
from poolhouse.core.user import Names, User
from poolhouse.model import InvalidParameterException, UserStatusType

CONTACTS = ("email", "phone_number")
# spec/api/05 §1.1; username and sub are searched by their own columns.
SEARCHABLE = ("email", "phone_number", "name", "given_name", "family_name", "preferred_username")
# As long as a filter of ListUsers can be; PostgreSQL's index rows hold 2,704 bytes (and its texts no NUL).
INDEXED_LENGTH = 256
# Text of AliasExistsException (spec/api/11 §3).
CLASH = "An account with the given {} already exists."
# The longest number of E.164, with its plus sign.
PHONE_LENGTH = 16


def fold(text: str) -> str:
    """Return the form in which texts are compared where case does not matter."""
    return text.lower()


def fold_username(pool: Pool, name: str) -> str:
    """Return a user name as it is stored and answered: in lower case where the pool ignores case."""
    return name if pool.case_sensitive else fold(name)


def index_form(text: str) -> str:
    """Return the form in which indexes hold a value: whole, or its beginning and a digest where it is long."""
    shown = text.replace("\0", "\ufffd")
    if len(shown) <= INDEXED_LENGTH:
        return shown
    return shown[:INDEXED_LENGTH] + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def alias_key(pool: Pool, attribute: str, value: str) -> str:
    """Return the index entry of an alias, such as ``email:ann@x.org``. Phone numbers stay as given."""
    exact = pool.case_sensitive or attribute == "phone_number"
    return f"{attribute}:{index_form(value if exact else fold(value))}"


def alias_keys_for(pool: Pool, name: str) -> tuple[str, ...]:
    """Return the index entries that a name given at sign-in may stand for, likeliest first."""
    keys = []
    names = pool.username_attributes or pool.alias_attributes
    if "email" in names and "@" in name:
        keys.append(alias_key(pool, "email", name))
    if "phone_number" in names and name.startswith("+"):
        keys.append(alias_key(pool, "phone_number", name))
    if "preferred_username" in names:
        keys.append(alias_key(pool, "preferred_username", name))
    return tuple(keys)


def has_alias_form(pool: Pool, name: str) -> bool:
    """Whether a name given at sign-in has the form of an address or a number that stands for a user name."""
    names = pool.username_attributes or pool.alias_attributes
    return ("email" in names and "@" in name) or ("phone_number" in names and name.startswith("+"))


def names_of(pool: Pool, user: User) -> Names:
    """Return the index entries of a user; every write of a user brings the indexes in line with them."""
    search = {name: index_form(fold(user.attributes[name])) for name in SEARCHABLE if name in user.attributes}
    search["cognito:user_status"] = fold(user.status)
    search["status"] = "Enabled" if user.enabled else "Disabled"
    return Names(aliases=frozenset(_aliases(pool, user)), search=search)


def familiar_name(pool: Pool, user: User) -> str:
    """Return the name by which a user knows themselves: an address where the stored user name was made up here."""
    known = [user.attributes[name] for name in CONTACTS if name in pool.username_attributes & user.attributes.keys()]
    return known[0] if known else user.username


def contact_aliases(pool: Pool, user: User) -> list[str]:
    """Return the attributes by which a user of a pool with aliases signs in: verified ones."""
    if is_profile(user.attributes):
        return []
    return [
        name
        for name in CONTACTS
        if name in pool.alias_attributes
        and name in user.attributes
        and user.attributes.get(f"{name}_verified") == "true"
    ]


def _aliases(pool: Pool, user: User) -> list[str]:
    attributes = user.attributes
    if is_profile(attributes):
        return []
    # A user-name attribute is a name from the start; an alias only once it is verified (spec/api/03 §5.5).
    keys = [alias_key(pool, name, attributes[name]) for name in pool.username_attributes if name in attributes]
    keys += [alias_key(pool, name, attributes[name]) for name in contact_aliases(pool, user)]
    if (
        "preferred_username" in pool.alias_attributes
        and "preferred_username" in attributes
        and user.status != UserStatusType.UNCONFIRMED
    ):
        keys.append(alias_key(pool, "preferred_username", attributes["preferred_username"]))
    return keys


def is_email(text: str) -> bool:
    """Whether a text has the form of an e-mail address."""
    local, at, domain = text.rpartition("@")
    return (
        bool(at and local and domain)
        and "@" not in local
        and "." in domain
        and all(domain.split("."))
        and text.isprintable()
        and not any(character.isspace() or character in '<>(),;:\\"[]' for character in text)
    )


def is_phone_number(text: str) -> bool:
    """Whether a text is a telephone number of E.164: a plus sign and digits."""
    digits = text[1:]
    return text.startswith("+") and 1 < len(text) <= PHONE_LENGTH and digits.isascii() and digits.isdigit()


def choose_username(pool: Pool, name: str, attributes: dict[str, str], sub: str) -> tuple[str, dict[str, str]]:
    """Return the stored user name of a new user, and the attributes, to which a name may have been added.

    Raises InvalidParameterException where the name has not the form that the pool asks for (spec/api/03 §5.2).
    """
    if not pool.username_attributes:
        _check_alias_form(pool, name)
        return fold_username(pool, name), attributes
    attribute = find_username_attribute(pool, name)
    if attribute is None:
        raise InvalidParameterException(expected_form(pool))
    given = attributes.get(attribute)
    if given is not None and alias_key(pool, attribute, given) != alias_key(pool, attribute, name):
        raise InvalidParameterException(
            f"User {attribute} should be empty or same as username, since username attribute is {attribute}."
        )
    return sub, {**attributes, attribute: name}


def find_username_attribute(pool: Pool, name: str) -> str | None:
    """Return the user-name attribute whose form a name has."""
    if "email" in pool.username_attributes and is_email(name):
        return "email"
    if "phone_number" in pool.username_attributes and is_phone_number(name):
        return "phone_number"
    return None


def _check_alias_form(pool: Pool, name: str) -> None:
    if "email" in pool.alias_attributes and is_email(name):
        raise InvalidParameterException(
            "Username cannot be of email format, since user pool is configured for email alias."
        )
    if "phone_number" in pool.alias_attributes and is_phone_number(name):
        raise InvalidParameterException(
            "Username cannot be of phone number format, since user pool is configured for phone number alias."
        )


def expected_form(pool: Pool) -> str:
    """Return the sentence that says what users of a pool with user-name attributes sign in with."""
    if pool.username_attributes == {"email"}:
        return "Username should be an email."
    if pool.username_attributes == {"phone_number"}:
        return "Username should be a phone number."
    return "Username should be either an email or a phone number."
