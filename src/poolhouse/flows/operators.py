"""The operators of the console: users of a built-in pool that no list and no count of the API shows.

They sign in through Poolhouse's own managed login, on a pool domain and an app client made at first start.
"""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.client import Client
from poolhouse.core.domain import Domain
from poolhouse.core.names import new_client_id, new_device_group_key, pool_arn
from poolhouse.core.passwords import check_policy
from poolhouse.core.pool import Pool
from poolhouse.core.schema import new_schema
from poolhouse.core.user import User
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Call, Deps, Origin, PublicCall
from poolhouse.flows.passwords import make_credentials
from poolhouse.flows.users import end_sessions, find_user, insert_user, save_user
from poolhouse.model import (
    AccountRecoverySettingType,
    AdminCreateUserConfigType,
    DeletionProtectionType,
    DomainDescriptionType,
    DomainStatusType,
    EmailConfigurationType,
    ExplicitAuthFlowsType,
    GetUserPoolMfaConfigResponse,
    InvalidParameterException,
    LambdaConfigType,
    ManagedLoginBrandingType,
    NotAuthorizedException,
    OAuthFlowType,
    PasswordPolicyType,
    PreventUserExistenceErrorTypes,
    RecoveryOptionNameType,
    RecoveryOptionType,
    ResourceNotFoundException,
    SchemaAttributeType,
    UsernameAttributeType,
    UsernameConfigurationType,
    UserPoolClientType,
    UserPoolMfaType,
    UserPoolPolicyType,
    UserPoolTierType,
    UserPoolType,
    UserStatusType,
    VerifiedAttributeType,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

POOL_NAME = "Operators"
DOMAIN = "poolhouse-console"
CALLBACK_PATH = "/console/callback"
SIGNED_OUT_PATH = "/console/signed-out"
SCOPES = ["openid", "email"]
INVITATION_HOURS = 24
# NIST SP 800-63B §3.1.1: length counts, composition does not.
MINIMUM_PASSWORD = 12
_CLIENT_SETTING = "console-client"
_INVITATION = "operator-invitation"


class Invitation(Struct, frozen=True):
    """The content of a one-time set-up link; ``expires_at`` is in milliseconds."""

    nonce: str
    expires_at: int


def operators_pool_id(deps: Deps) -> str:
    """Return the id of the built-in pool."""
    return f"{deps.identity.region}_{POOL_NAME}"


def get_pool(tx: Tx, deps: Deps) -> tuple[Pool, Client]:
    """Return the built-in pool and the console's app client; raises ResourceNotFoundException before the first start."""
    client_id = tx.settings.find(_CLIENT_SETTING)
    found = tx.catalogue.find_app(client_id.decode()) if client_id else None
    if found is None:
        raise ResourceNotFoundException(f"User pool {operators_pool_id(deps)} does not exist.")
    return found


async def ensure_pool(deps: Deps) -> None:
    """Make the built-in pool, its domain and its app client where they are missing, and keep the callback current."""
    client = await deps.store.read(lambda tx: _find_client(tx, deps))
    if client is None:
        await _make_pool(deps)
    elif client.settings.callback_urls != _callback_urls(deps):
        settings = replace(client.settings, callback_urls=_callback_urls(deps), logout_urls=_logout_urls(deps))
        await deps.store.write(lambda tx: tx.clients.save(replace(client, settings=settings)))


async def ensure_operator(deps: Deps, email: str, password: str) -> None:
    """Make the operator that the settings name, or give that operator the password that they name."""
    existing = await deps.store.read(lambda tx: find_user(tx, get_pool(tx, deps)[0], email))
    if existing is None:
        await create_operator(deps, email, password)
    elif not await deps.passwords.verify(existing.credentials.password_hash, password):
        await _change_password(deps, existing, password)


async def create_operator(deps: Deps, email: str, password: str, *, spend: str | None = None) -> None:
    """Make an operator; ``spend`` is the nonce of the invitation that this uses up.

    Raises InvalidPasswordException, InvalidParameterException, UsernameExistsException,
    NotAuthorizedException for an invitation that was used before.
    """
    call = _call(deps)
    pool = (await deps.store.read(lambda tx: get_pool(tx, deps)))[0]
    if "@" not in email:
        raise InvalidParameterException("Invalid email address format.")
    check_policy(pool, password)
    sub = deps.random.uuid()
    credentials = await make_credentials(call, pool, sub, password, None)
    user = User(
        pool_id=pool.id,
        sub=sub,
        username=sub,
        status=UserStatusType.CONFIRMED,
        attributes={"email": email, "email_verified": "true"},
        credentials=credentials,
        created_at=call.now,
        modified_at=call.now,
    )

    def commit(tx: Tx) -> None:
        if spend is not None and not tx.nonces.spend(spend, call.now + INVITATION_HOURS * 3_600_000):
            raise NotAuthorizedException("This link was used already.")
        insert_user(tx, pool, user)

    await deps.store.write(commit)


async def list_operators(deps: Deps) -> list[str]:
    """Return the e-mail addresses of the operators."""
    users = await deps.store.read(lambda tx: tx.users.page(operators_pool_id(deps), after=None, limit=1000))
    return sorted(user.attributes["email"] for user in users)


async def is_without_operators(deps: Deps) -> bool:
    """Tell whether nobody can sign in to the console yet."""
    return not await deps.store.read(lambda tx: tx.users.page(operators_pool_id(deps), after=None, limit=1))


async def remove(deps: Deps, email: str) -> bool:
    """Delete an operator; returns False where there is none."""

    def commit(tx: Tx) -> bool:
        user = find_user(tx, get_pool(tx, deps)[0], email)
        if user is not None:
            tx.users.delete(user)
        return user is not None

    return await deps.store.write(commit)


async def sign_out(deps: Deps, sub: str) -> None:
    """End every session of an operator, wherever a copy of its cookie may be (ASVS 5.0 §7.4.1)."""
    now = deps.clock.now()

    def commit(tx: Tx) -> None:
        user = find_operator(tx, deps, sub)
        if user is not None:
            end_sessions(tx, get_pool(tx, deps)[0], user, now)

    await deps.store.write(commit)


async def invite(deps: Deps) -> str:
    """Return a one-time link with which an operator sets up an account, good for a day."""
    expires_at = deps.clock.now() + INVITATION_HOURS * 3_600_000
    content = msgspec.json.encode(Invitation(nonce=deps.random.uuid(), expires_at=expires_at))
    token = urlsafe_b64encode(deps.sealer.seal(_INVITATION, content)).decode().rstrip("=")
    return f"{deps.identity.public_url}/console/welcome?token={token}"


def open_invitation(deps: Deps, token: str) -> Invitation:
    """Return the content of an invitation; raises NotAuthorizedException."""
    try:
        content = deps.sealer.open(_INVITATION, urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, SealBroken):
        raise NotAuthorizedException("This link is not valid.") from None
    invitation = msgspec.json.decode(content, type=Invitation)
    if invitation.expires_at <= deps.clock.now():
        raise NotAuthorizedException("This link has expired.")
    return invitation


def find_operator(tx: Tx, deps: Deps, sub: str) -> User | None:
    """Return the enabled operator with that ``sub``."""
    user = tx.users.find_by_sub(operators_pool_id(deps), sub)
    return user if user is not None and user.enabled else None


def _call(deps: Deps) -> Call:
    return PublicCall(deps=deps, now=deps.clock.now(), origin=Origin(request_id=deps.random.uuid()))


def _find_client(tx: Tx, deps: Deps) -> Client | None:
    try:
        return get_pool(tx, deps)[1]
    except ResourceNotFoundException:
        return None


async def _change_password(deps: Deps, user: User, password: str) -> None:
    call = _call(deps)
    pool = (await deps.store.read(lambda tx: get_pool(tx, deps)))[0]
    check_policy(pool, password)
    credentials = await make_credentials(call, pool, user.username, password, user.credentials)

    def commit(tx: Tx) -> None:
        current = tx.users.find_by_id(user.id)
        if current is not None:
            end_sessions(tx, pool, save_user(tx, pool, replace(current, credentials=credentials)), call.now)

    await deps.store.write(commit)


async def _make_pool(deps: Deps) -> None:
    now = deps.clock.now()
    keys = [
        replace(await asyncio.to_thread(deps.keyring.make_key, use, now, deps.random), state="active")
        for use in ("id", "access")
    ]
    pool = _pool(deps, now)
    client = _client(deps, pool, now)

    def commit(tx: Tx) -> None:
        tx.pools.insert(pool, now)
        for key in keys:
            tx.signing_keys.insert(replace(key, pool_id=pool.id))
        tx.clients.insert(client)
        tx.domains.insert(_domain(deps, pool))
        tx.branding.insert(_branding(deps, pool, now), client.id)
        tx.settings.put(_CLIENT_SETTING, client.id.encode())

    try:
        await deps.store.write(commit)
    except AlreadyExists:
        # Another node of the installation was faster.
        return


def _pool(deps: Deps, now: int) -> Pool:
    pool_id = operators_pool_id(deps)
    seconds = now / 1000
    email = SchemaAttributeType(name="email", required=True)
    settings = UserPoolType(
        id=pool_id,
        name=POOL_NAME,
        arn=pool_arn(deps.identity.region, deps.identity.account_id, pool_id),
        creation_date=seconds,
        last_modified_date=seconds,
        schema_attributes=new_schema([email]),
        username_attributes=[UsernameAttributeType.email],
        username_configuration=UsernameConfigurationType(case_sensitive=False),
        auto_verified_attributes=[VerifiedAttributeType.email],
        policies=UserPoolPolicyType(
            password_policy=PasswordPolicyType(
                minimum_length=MINIMUM_PASSWORD,
                require_lowercase=False,
                require_numbers=False,
                require_symbols=False,
                require_uppercase=False,
                temporary_password_validity_days=1,
            )
        ),
        admin_create_user_config=AdminCreateUserConfigType(allow_admin_create_user_only=True),
        account_recovery_setting=AccountRecoverySettingType(
            recovery_mechanisms=[RecoveryOptionType(name=RecoveryOptionNameType.verified_email, priority=1)]
        ),
        email_configuration=EmailConfigurationType(),
        lambda_config=LambdaConfigType(),
        mfa_configuration=UserPoolMfaType.OFF,
        deletion_protection=DeletionProtectionType.ACTIVE,
        user_pool_tier=UserPoolTierType.ESSENTIALS,
        domain=DOMAIN,
    )
    return Pool(
        id=pool_id,
        settings=settings,
        mfa=GetUserPoolMfaConfigResponse(mfa_configuration=UserPoolMfaType.OFF),
        device_group_key=new_device_group_key(deps.random.text),
        builtin=True,
    )


def _client(deps: Deps, pool: Pool, now: int) -> Client:
    client_id = new_client_id(deps.random.text)
    settings = UserPoolClientType(
        client_id=client_id,
        client_name="Console",
        user_pool_id=pool.id,
        creation_date=now / 1000,
        last_modified_date=now / 1000,
        explicit_auth_flows=[ExplicitAuthFlowsType.ALLOW_REFRESH_TOKEN_AUTH],
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=[OAuthFlowType.code],
        allowed_oauth_scopes=SCOPES,
        callback_urls=_callback_urls(deps),
        logout_urls=_logout_urls(deps),
        supported_identity_providers=["COGNITO"],
        prevent_user_existence_errors=PreventUserExistenceErrorTypes.ENABLED,
        enable_token_revocation=True,
        refresh_token_validity=1,
        auth_session_validity=3,
    )
    return Client(id=client_id, pool_id=pool.id, settings=settings)


def _callback_urls(deps: Deps) -> list[str]:
    return [deps.identity.public_url + CALLBACK_PATH]


def _logout_urls(deps: Deps) -> list[str]:
    return [deps.identity.public_url + SIGNED_OUT_PATH]


def _domain(deps: Deps, pool: Pool) -> Domain:
    description = DomainDescriptionType(
        aws_account_id=deps.identity.account_id,
        domain=DOMAIN,
        managed_login_version=2,
        status=DomainStatusType.ACTIVE,
        user_pool_id=pool.id,
    )
    return Domain(name=DOMAIN, pool_id=pool.id, custom=False, description=description)


def _branding(deps: Deps, pool: Pool, now: int) -> ManagedLoginBrandingType:
    return ManagedLoginBrandingType(
        managed_login_branding_id=deps.random.uuid(),
        user_pool_id=pool.id,
        use_cognito_provided_values=True,
        creation_date=now / 1000,
        last_modified_date=now / 1000,
    )
