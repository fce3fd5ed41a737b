"""Rows with defaults."""

import itertools

from poolhouse.core.auth_events import AuthEvent
from poolhouse.core.classic_style import ALL, ClassicStyle
from poolhouse.core.client import Client, ClientSecret
from poolhouse.core.devices import Device
from poolhouse.core.domain import Domain
from poolhouse.core.groups import Group
from poolhouse.core.identities import Identity
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.import_csv import Newcomer
from poolhouse.core.import_jobs import ImportJob
from poolhouse.core.message import Message
from poolhouse.core.passkeys import Passkey
from poolhouse.core.pool import Pool
from poolhouse.core.provider_links import SUBJECT
from poolhouse.core.replica import Regional, Replica
from poolhouse.core.session import AuthorizationCode, ConfirmationCode, Session
from poolhouse.core.session_tracking import SsoSession
from poolhouse.core.signing_key import SigningKey
from poolhouse.core.user import Credentials, Names, User
from poolhouse.model import (
    CloudWatchLogsConfigurationType,
    DomainDescriptionType,
    EventResponseType,
    EventSourceName,
    EventType,
    ExplicitAuthFlowsType,
    GetUserPoolMfaConfigResponse,
    IdentityProviderType,
    IdentityProviderTypeType,
    LogConfigurationType,
    LogDeliveryConfigurationType,
    LogLevel,
    ManagedLoginBrandingType,
    ReplicaStatusType,
    ResourceServerType,
    RiskConfigurationType,
    RiskExceptionConfigurationType,
    TermsEnforcementType,
    TermsSourceType,
    TermsType,
    UserPoolClientType,
    UserPoolMfaType,
    UserPoolType,
    UserStatusType,
)

POOL = "us-east-1_AAAAAAAAA"
NOW = 1_700_000_000_000
KEY = "us-east-1_00000000-0000-4000-8000-00000000000d"
_numbers = itertools.count(1)


def pool(id=POOL, name="people", **members) -> Pool:
    return Pool(
        id=id,
        settings=UserPoolType(id=id, name=name, alias_attributes=[]),
        mfa=GetUserPoolMfaConfigResponse(mfa_configuration=UserPoolMfaType.OFF),
        device_group_key="-key",
        **members,
    )


def replica(region="eu-west-1", status="CREATING", **settings) -> Replica:
    return Replica(region=region, status=ReplicaStatusType(status), settings=Regional(**settings))


def client(id=None, pool_id=POOL, flows=(ExplicitAuthFlowsType.ALLOW_USER_PASSWORD_AUTH,), **members) -> Client:
    id = id or f"client{next(_numbers):06}"
    settings = UserPoolClientType(client_id=id, client_name="app", explicit_auth_flows=list(flows))
    return Client(id=id, pool_id=pool_id, settings=settings, **members)


def secret(id="s1") -> ClientSecret:
    return ClientSecret(id=id, sealed=b"\x00\xff sealed", created_at=NOW)


def domain(name="shop", pool_id=POOL, **members) -> Domain:
    description = DomainDescriptionType(domain=name, user_pool_id=pool_id, **members)
    return Domain(name=name, pool_id=pool_id, custom=False, description=description)


def server(identifier="https://api", pool_id=POOL, name="api") -> ResourceServerType:
    return ResourceServerType(identifier=identifier, user_pool_id=pool_id, name=name, scopes=[])


def style(id="00000000-0000-4000-8000-00000000000a", pool_id=POOL, **settings) -> ManagedLoginBrandingType:
    return ManagedLoginBrandingType(managed_login_branding_id=id, user_pool_id=pool_id, settings=settings or None)


def classic_style(client_id=ALL, pool_id=POOL, css=".x {}", logo=b"\x00\xff", at=NOW) -> ClassicStyle:
    return ClassicStyle(pool_id=pool_id, client_id=client_id, css=css, logo=logo, created_at=at, modified_at=at)


def terms(number=1, client_id="app", pool_id=POOL, name="terms-of-use", **links) -> TermsType:
    return TermsType(
        terms_id=f"00000000-0000-4000-8000-{number:012}",
        user_pool_id=pool_id,
        client_id=client_id,
        terms_name=name,
        terms_source=TermsSourceType.LINK,
        enforcement=TermsEnforcementType.NONE,
        links={"cognito:default": "https://example.org/"} | {f"cognito:{name}": url for name, url in links.items()},
        creation_date=NOW / 1000,
        last_modified_date=NOW / 1000,
    )


def provider(name="Partner", *identifiers, pool_id=POOL, sealed=b"\x00\xff", **details) -> IdentityProvider:
    settings = IdentityProviderType(
        user_pool_id=pool_id,
        provider_name=name,
        provider_type=IdentityProviderTypeType.OIDC,
        provider_details={"client_id": "c", **details},
        idp_identifiers=list(identifiers) or None,
    )
    return IdentityProvider(settings=settings, sealed=sealed)


def user(username=None, pool_id=POOL, **members) -> User:
    number = next(_numbers)
    defaults = {
        "username": username or f"user{number:06}",
        "sub": f"00000000-0000-4000-8000-{number:012}",
        "status": UserStatusType.CONFIRMED,
        "attributes": {"email": f"u{number}@example.org"},
        "credentials": Credentials(password_hash="$argon2id$x", srp_verifier=b"\x01\x02", history=("$old",)),
        "created_at": NOW,
        "modified_at": NOW,
    }
    return User(pool_id=pool_id, **defaults | members)


def auth_event(user, id="e1", at=NOW, **members) -> AuthEvent:
    given = {"type": EventType.SignIn, "response": EventResponseType.Pass} | members
    return AuthEvent(id=id, pool_id=user.pool_id, user_id=user.id, at=at, **given)


def risk(pool_id=POOL, client_id=None, *blocked) -> RiskConfigurationType:
    exceptions = RiskExceptionConfigurationType(blocked_ip_range_list=list(blocked))
    return RiskConfigurationType(user_pool_id=pool_id, client_id=client_id, risk_exception_configuration=exceptions)


def log_delivery(arn="arn:aws:logs:us-east-1:000000000000:log-group:x", pool_id=POOL) -> LogDeliveryConfigurationType:
    logs = LogConfigurationType(
        event_source=EventSourceName.userAuthEvents,
        log_level=LogLevel.INFO,
        cloud_watch_logs_configuration=CloudWatchLogsConfigurationType(log_group_arn=arn),
    )
    return LogDeliveryConfigurationType(user_pool_id=pool_id, log_configurations=[logs])


def group(name="staff", pool_id=POOL, **members) -> Group:
    return Group(pool_id=pool_id, name=name, **{"created_at": NOW, "modified_at": NOW} | members)


def device(user_id, key=KEY, **members) -> Device:
    defaults = {"remembered": True, "created_at": NOW, "modified_at": NOW, "authenticated_at": NOW}
    return Device(user_id=user_id, key=key, **defaults | members)


def identity(user_id, value="x", provider="Partner", attribute=SUBJECT, pool_id=POOL, **members) -> Identity:
    return Identity(
        pool_id=pool_id,
        provider=provider,
        attribute=attribute,
        value=value,
        user_id=user_id,
        **{"created_at": NOW} | members,
    )


def names(*aliases: str, **search: str) -> Names:
    return Names(aliases=frozenset(aliases), search=search)


def passkey(id="k", **members) -> Passkey:
    defaults = {
        "public_key": b"\x00\xff",
        "sign_count": 0,
        "rp_id": "example.org",
        "name": "Passkey",
        "created_at": NOW,
    }
    return Passkey(id=id, **defaults | members)


def newcomer(username=None, *aliases: str, **members) -> Newcomer:
    """Somebody whom an import would let in, under these alias keys."""
    made = user(username, **members)
    return Newcomer(name=made.username, user=made, names=names(*aliases, email="x@y"), wanted=aliases, preferred=None)


def import_job(id="import-0000000001", pool_id=POOL, **members) -> ImportJob:
    return ImportJob(
        id=id, pool_id=pool_id, name="job", role_arn="arn:aws:iam::1:role/r", **{"created_at": NOW} | members
    )


def session(id, user_id, client_id="client", expires_at=NOW + 1000, **members) -> Session:
    return Session(
        id=id,
        pool_id=POOL,
        user_id=user_id,
        client_id=client_id,
        created_at=NOW,
        expires_at=expires_at,
        auth_time=NOW // 1000,
        scopes=("aws.cognito.signin.user.admin",),
        oauth=False,
        **members,
    )


def sso_session(id, user_id, client_id="client", expires_at=NOW + 1000) -> SsoSession:
    return SsoSession(id=id, user_id=user_id, client_id=client_id, created_at=NOW, expires_at=expires_at)


def authorization_code(user_id, expires_at=NOW + 1000) -> AuthorizationCode:
    return AuthorizationCode(
        pool_id=POOL,
        client_id="client",
        user_id=user_id,
        redirect_uri="https://app.example/",
        scopes=("openid", "email"),
        auth_time=NOW // 1000,
        expires_at=expires_at,
        nonce="n",
    )


def confirmation_code(purpose="sign-up", digest=b"\xfe", expires_at=NOW + 1000) -> ConfirmationCode:
    return ConfirmationCode(
        purpose=purpose, digest=digest, attribute="email", destination="a@example.org", expires_at=expires_at
    )


def signing_key(kid=None, state="stock", use="id", pool_id=None, created_at=None) -> SigningKey:
    number = next(_numbers)
    return SigningKey(
        kid=kid or f"kid{number:06}",
        pool_id=pool_id,
        use=use,
        state=state,
        sealed=b"sealed\x00",
        public={"kty": "RSA", "e": "AQAB"},
        created_at=number if created_at is None else created_at,
    )


def message(id, to="ann@example.org", at=NOW) -> Message:
    return Message(
        id=id,
        at=at,
        channel="EMAIL",
        to=to,
        subject="Code",
        body="Your code is 1",
        code="1",
        template="SignUp",
        user_pool_id=POOL,
        username="ann",
    )


def with_pool(store, *clients, id=POOL) -> None:
    """Store a pool and clients of it."""

    def work(tx):
        tx.pools.insert(pool(id), NOW)
        for each in clients:
            tx.clients.insert(each)

    store.write(work)
