"""The items of a seed that are people: groups, users, who is in which group, and who they are at providers."""

from msgspec.structs import replace

from poolhouse.core import seed_people
from poolhouse.core.groups import MAX_GROUPS, MAX_GROUPS_OF_USER
from poolhouse.core.identities import Shown, with_identities
from poolhouse.core.passkeys import MAX_PASSKEYS
from poolhouse.core.pool import Pool
from poolhouse.core.provider_links import MAX_LINKS, show
from poolhouse.core.seed import SeedGroup, SeedIdentity, SeedPasskey, SeedUser
from poolhouse.core.user import Credentials, SoftwareToken, User
from poolhouse.crypto.totp import from_text
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.identities import show_identities
from poolhouse.flows.passwords import make_credentials, seal_verifier
from poolhouse.flows.seeds.item import Home, Item, NotPrepared, check_room
from poolhouse.flows.software_tokens import check_name, seal_token
from poolhouse.flows.users import find_user, insert_user
from poolhouse.model import InvalidParameterException, LimitExceededException
from poolhouse.storage import Tx

# Ten bytes are the shortest secrets that authenticator apps are known to be given.
LEAST_SECRET = 10


class GroupItem(Item):
    """A group without its members."""

    def __init__(self, place: str, seed: SeedGroup, home: Home) -> None:
        super().__init__(place, seed.group_name, home)
        self._seed = seed

    def is_there(self, tx: Tx) -> bool:
        """Whether the pool has one of that name."""
        return tx.groups.find(self.home.id, self.name) is not None

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        check_room(tx.groups.count(self.home.id), MAX_GROUPS, "groups")
        tx.groups.insert(seed_people.group_of(self.home.get(tx), self._seed, call.now))


class UserItem(Item):
    """A user. What was made for it, a ``sub`` and the hash of its password, is kept for another time."""

    def __init__(self, place: str, seed: SeedUser, home: Home) -> None:
        super().__init__(place, seed.username, home)
        self._seed = seed
        self._made: tuple[str, Credentials] | None = None

    def is_there(self, tx: Tx) -> bool:
        """Whether somebody in the pool has the name, or the ``sub``."""
        pool = self.home.find(tx)
        if pool is None:
            return False
        sub = seed_people.sub_of(self._seed)
        by_sub = None if sub is None else tx.users.find_by_sub(pool.id, sub)
        return by_sub is not None or find_user(tx, pool, self.name) is not None

    async def prepare(self, call: AdminCall, *, rehearsal: bool) -> None:
        """Hash the password, or check the hash that the file has."""
        if self._made is not None:
            return
        seed = self._seed
        pool = await call.store.read(self.home.find) or self.home.future(call)
        sub = seed_people.sub_of(seed) or call.deps.random.uuid()
        username = seed_people.user_of(pool, seed, sub=sub, credentials=Credentials(), now=call.now).username
        password = seed_people.plain_password(pool, seed)
        if password is None:
            credentials = self._as_exported(call, pool, username)
        else:
            credentials = Credentials() if rehearsal else await make_credentials(call, pool, username, password)
        self._made = sub, credentials

    def _as_exported(self, call: AdminCall, pool: Pool, username: str) -> Credentials:
        """Return the credentials that the file has, which may be none."""
        seed = self._seed
        seed_people.check_verifier(seed)
        hashes = [*([] if seed.password_hash is None else [seed.password_hash]), *seed.password_history]
        if not all(map(call.deps.passwords.is_hash, hashes)):
            raise InvalidParameterException("PasswordHash and PasswordHistory take Argon2id strings.")
        made = Credentials(
            password_hash=seed.password_hash,
            password_set_at=round((seed.password_set_date or 0) * 1000),
            history=tuple(seed.password_history),
        )
        if seed.srp_salt is None or seed.srp_verifier is None:
            return made
        return seal_verifier(call, pool, username, seed.srp_salt, int(seed.srp_verifier, 16), made)

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make the user. Unless the file says when the password was set, that is now."""
        if self._made is None:
            raise NotPrepared
        sub, credentials = self._made
        if credentials.password_hash is not None and self._seed.password_set_date is None:
            credentials = replace(credentials, password_set_at=call.now)
        pool = self.home.get(tx)
        user = seed_people.user_of(pool, self._seed, sub=sub, credentials=credentials, now=call.now)
        factors = seed_people.factors_of(self._seed, self._token(call, user))
        # Whose addresses are no sign-in names is known before they would take some.
        attributes = with_identities(user.attributes, self._origins(tx, user))
        insert_user(tx, pool, replace(user, factors=factors, attributes=attributes))

    def _origins(self, tx: Tx, user: User) -> list[Shown]:
        """Return the identity that the user came into being with, if any; it is stored in its turn."""
        named = [
            (each, tx.identity_providers.find(user.pool_id, each.provider_name or "")) for each in self._seed.identities
        ]
        return [
            show(seed_people.identity_of(each, provider, user, user.created_at), provider)
            for each, provider in named
            if each.primary and provider is not None
        ]

    def _token(self, call: AdminCall, user: User) -> SoftwareToken | None:
        given = self._seed.software_token
        if given is None:
            return None
        try:
            secret = from_text(given.secret_code)
        except ValueError:
            secret = b""
        if len(secret) < LEAST_SECRET:
            raise InvalidParameterException(f"SecretCode must be {LEAST_SECRET} bytes or more, in base32.")
        created_at = call.now if given.creation_date is None else round(given.creation_date * 1000)
        return seal_token(call, user, secret, created_at, check_name(given.friendly_device_name))


class MemberItem(Item):
    """That a user is in a group."""

    def __init__(self, place: str, username: str, home: Home, group: str) -> None:
        super().__init__(place, username, home)
        self._group = group

    def is_there(self, tx: Tx) -> bool:
        """Whether the user is in the group."""
        pool = self.home.find(tx)
        user = None if pool is None else find_user(tx, pool, self.name)
        return user is not None and any(group.name == self._group for group in tx.groups.of_user(user))

    def put(self, tx: Tx, call: AdminCall) -> None:  # noqa: ARG002 - as every item
        """Put the user into the group."""
        user = find_user(tx, self.home.get(tx), self.name)
        if user is None:
            raise InvalidParameterException("There is no user of that name.")
        group = tx.groups.find(self.home.id, self._group)
        assert group is not None  # its own item comes first
        total = tx.groups.add(group, user)
        if total is not None and total > MAX_GROUPS_OF_USER:
            raise LimitExceededException(f"A user can be in at most {MAX_GROUPS_OF_USER} groups.")


class PasskeyItem(Item):
    """A passkey of a user."""

    def __init__(self, place: str, seed: SeedPasskey, home: Home, username: str) -> None:
        super().__init__(place, seed.credential_id, home)
        self._seed, self._username = seed, username

    def is_there(self, tx: Tx) -> bool:
        """Whether the user has it."""
        pool = self.home.find(tx)
        user = None if pool is None else find_user(tx, pool, self._username)
        return user is not None and any(passkey.id == self.name for passkey in tx.passkeys.of_user(user))

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Give it to the user."""
        user = find_user(tx, self.home.get(tx), self._username)
        assert user is not None  # its own item comes first
        total = tx.passkeys.add(user, seed_people.passkey_of(self._seed, call.now))
        if total > MAX_PASSKEYS:
            raise LimitExceededException(f"A user can have at most {MAX_PASSKEYS} passkeys.")


class IdentityItem(Item):
    """That a user of a provider is a user of ours."""

    def __init__(self, place: str, seed: SeedIdentity, home: Home, username: str) -> None:
        super().__init__(place, seed.provider_name or "", home)
        self._seed, self._username = seed, username

    def is_there(self, tx: Tx) -> bool:
        """Whether the identity is the user's; another's it must not be."""
        pool, seed = self.home.find(tx), self._seed
        user = None if pool is None else find_user(tx, pool, self._username)
        attribute, value = seed.provider_attribute_name or "", seed.provider_attribute_value or ""
        found = tx.identities.find(self.home.id, self.name, attribute, value)
        if found is not None and (user is None or found.user_id != user.id):
            raise InvalidParameterException("The identity belongs to another user.")
        return found is not None

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Link the user to it."""
        pool = self.home.get(tx)
        user, provider = find_user(tx, pool, self._username), tx.identity_providers.find(pool.id, self.name)
        assert user is not None  # its own item comes first
        if provider is None:
            raise InvalidParameterException(f"The provider {self.name} does not exist for User Pool {pool.id}.")
        links = [each for each in tx.identities.of_user(user.id) if not each.primary]
        if len(links) >= MAX_LINKS:
            raise LimitExceededException(f"A user can be linked to at most {MAX_LINKS} identities.")
        tx.identities.insert(seed_people.identity_of(self._seed, provider, user, call.now))
        show_identities(tx, pool, user, user.modified_at)
