"""Writing a seed from a database: what ``application`` makes the same pools of."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from msgspec.structs import asdict, replace

from poolhouse.core.classic_style import ALL, ClassicStyle
from poolhouse.core.client import Client
from poolhouse.core.client_checks import REGISTRATION_SCOPE, STANDARD_SCOPES
from poolhouse.core.groups import Group, describe
from poolhouse.core.identities import ATTRIBUTE
from poolhouse.core.pool import Pool
from poolhouse.core.seed import (
    Seed,
    SeedClient,
    SeedDomain,
    SeedGroup,
    SeedIdentity,
    SeedKey,
    SeedPool,
    SeedStyle,
    SeedTerms,
    SeedToken,
    SeedUser,
)
from poolhouse.core.seed_people import exported_passkey
from poolhouse.core.session_tracking import DEFAULT_SSO_MINUTES
from poolhouse.core.user import User
from poolhouse.crypto.totp import to_text
from poolhouse.flows.calls import Call, Deps, Origin, PublicCall
from poolhouse.flows.clients import open_secrets
from poolhouse.flows.identity_providers import open_provider
from poolhouse.flows.passwords import open_verifier
from poolhouse.flows.software_tokens import open_token
from poolhouse.flows.users import describe as describe_user
from poolhouse.model import (
    ClientSecretDescriptorType,
    ClientSSOSessionConfigType,
    GetUserPoolMfaConfigResponse,
    ResourceNotFoundException,
    UserPoolMfaType,
)
from poolhouse.storage import Tx

T = TypeVar("T")
PAGE = 500
_NO_MFA = GetUserPoolMfaConfigResponse(mfa_configuration=UserPoolMfaType.OFF)


async def export(deps: Deps, pool_ids: Sequence[str], *, signing_keys: bool) -> Seed:
    """Return the seed of some pools, or of all where none are named. It holds secrets in plain.

    Raises ResourceNotFoundException.
    """
    call = PublicCall(deps=deps, now=deps.clock.now(), origin=Origin(request_id=deps.random.uuid()))

    def load(tx: Tx) -> Seed:
        pools = [_get_pool(tx, pool_id) for pool_id in dict.fromkeys(pool_ids)] or all_pools(tx)
        return Seed(user_pools=tuple(_pool(tx, call, pool, signing_keys=signing_keys) for pool in pools))

    return await deps.store.read(load)


def all_pools(tx: Tx) -> list[Pool]:
    """Return the pools of every Region, the built-in one left out."""
    return list(_every(lambda after: tx.pools.every(after=after, limit=PAGE), lambda pool: pool.id))


def _get_pool(tx: Tx, pool_id: str) -> Pool:
    pool = tx.pools.find(pool_id)
    if pool is None or pool.builtin:
        raise ResourceNotFoundException(f"User pool {pool_id} does not exist.")
    return pool


def _pool(tx: Tx, call: Call, pool: Pool, *, signing_keys: bool) -> SeedPool:
    settings = replace(pool.settings, arn=None, domain=None, custom_domain=None)
    domains = [tx.domains.find(name) for name in (pool.settings.domain, pool.settings.custom_domain) if name]
    servers = tx.resource_servers.page(pool.id, None, PAGE)
    providers = tx.identity_providers.page(pool.id, after=None, limit=PAGE)
    clients = _every(lambda after: tx.clients.page(pool.id, after=after, limit=PAGE), lambda client: client.id)
    groups = _every(lambda after: tx.groups.page(pool.id, after=after, limit=PAGE), lambda group: group.name)
    users = _every(lambda after: tx.users.page(pool.id, after=after, limit=PAGE), lambda user: user.username)
    return SeedPool(
        **asdict(settings),
        mfa_config=None if pool.mfa == _NO_MFA else pool.mfa,
        session_configuration=None if pool.tracking is None else replace(pool.tracking, user_pool_id=None),
        signing_keys=_keys(tx, call, pool) if signing_keys else (),
        resource_servers=tuple(replace(server, user_pool_id=None) for server in servers),
        identity_providers=tuple(
            replace(open_provider(call.deps, provider), user_pool_id=None) for provider in providers
        ),
        clients=tuple(_client(tx, call, pool, client) for client in clients),
        domains=tuple(
            SeedDomain(
                domain=domain.name,
                custom_domain_config=domain.description.custom_domain_config,
                managed_login_version=domain.description.managed_login_version,
                routing=domain.description.routing,
            )
            for domain in domains
            if domain is not None
        ),
        ui_customization=_style(tx.classic_styles.find(pool.id, ALL)),
        groups=tuple(_group(tx, group) for group in groups),
        users=tuple(_user(tx, call, pool, user) for user in users),
    )


def _every(page: Callable[[str | None], list[T]], place: Callable[[T], str]) -> Iterator[T]:
    """Give all there are of something that is read by pages."""
    after: str | None = None
    while found := page(after):
        yield from found
        after = place(found[-1])


def _keys(tx: Tx, call: Call, pool: Pool) -> tuple[SeedKey, ...]:
    keys = tx.catalogue.signing_keys(pool.id)
    return tuple(
        SeedKey(use=key.use, kid=key.kid, private_key=call.deps.keyring.write_key(key))
        for key in (keys.id, keys.access)
    )


def _client(tx: Tx, call: Call, pool: Pool, client: Client) -> SeedClient:
    branding = tx.branding.find_by_client(client.id)
    settings = replace(client.settings, user_pool_id=None, allowed_oauth_scopes=_scopes(tx, pool, client))
    return SeedClient(
        **asdict(settings),
        client_secrets=tuple(
            ClientSecretDescriptorType(client_secret_value=value, client_secret_create_date=secret.created_at / 1000)
            for secret, value in open_secrets(call.deps, client)
        ),
        managed_login_branding=None if branding is None else replace(branding, user_pool_id=None),
        terms=tuple(
            SeedTerms(**asdict(terms) | {"client_id": None, "user_pool_id": None})
            for _, terms in sorted(tx.terms.of_client(client.id).items())
        ),
        ui_customization=_style(tx.classic_styles.find(pool.id, client.id)),
        sso_session=(
            None
            if client.sso_minutes == DEFAULT_SSO_MINUTES
            else ClientSSOSessionConfigType(max_validity_minutes=client.sso_minutes)
        ),
    )


def _scopes(tx: Tx, pool: Pool, client: Client) -> list[str] | None:
    """Return the scopes of a client that there still are: others could not be given to it again."""
    known = {*STANDARD_SCOPES, REGISTRATION_SCOPE}
    for server in tx.catalogue.resource_servers(pool.id):
        known |= {f"{server.identifier}/{scope.scope_name}" for scope in server.scopes or ()}
    return [scope for scope in client.settings.allowed_oauth_scopes or () if scope in known] or None


def _style(style: ClassicStyle | None) -> SeedStyle | None:
    return None if style is None else SeedStyle(css=style.css, image_file=style.logo)


def _group(tx: Tx, group: Group) -> SeedGroup:
    members = _every(lambda after: tx.groups.members(group, after=after, limit=PAGE), lambda user: user.username)
    described = replace(describe(group), user_pool_id=None)
    return SeedGroup(**asdict(described), members=tuple(user.username for user in members))


def _user(tx: Tx, call: Call, pool: Pool, user: User) -> SeedUser:
    shown, credentials = describe_user(user), user.credentials
    verifier = open_verifier(call, pool, user.username, credentials)
    has_password = credentials.password_hash is not None
    return SeedUser(
        username=user.username,
        user_attributes=[each for each in shown.attributes or () if each.name != ATTRIBUTE],
        enabled=user.enabled,
        user_status=user.status,
        user_create_date=shown.user_create_date,
        user_last_modified_date=shown.user_last_modified_date,
        password_hash=credentials.password_hash,
        password_set_date=credentials.password_set_at / 1000 if has_password else None,
        password_history=credentials.history,
        srp_salt=None if verifier is None else credentials.srp_salt,
        srp_verifier=None if verifier is None else f"{verifier:x}",
        user_mfa_setting_list=user.factors.active,
        preferred_mfa_setting=user.factors.preferred,
        software_token=_token(call, user),
        passkeys=tuple(map(exported_passkey, tx.passkeys.of_user(user))),
        passkey_mfa=user.factors.passkey_mfa,
        identities=tuple(
            SeedIdentity(
                provider_name=each.provider,
                provider_attribute_name=each.attribute,
                provider_attribute_value=each.value,
                primary=each.primary,
                creation_date=each.created_at / 1000,
            )
            for each in tx.identities.of_user(user.id)
            # What a deleted provider said is not swept yet.
            if tx.identity_providers.find(pool.id, each.provider) is not None
        ),
    )


def _token(call: Call, user: User) -> SeedToken | None:
    token = user.factors.software_token
    if token is None:
        return None
    secret = to_text(open_token(call, user, token))
    return SeedToken(secret_code=secret, friendly_device_name=token.name, creation_date=token.created_at / 1000)
