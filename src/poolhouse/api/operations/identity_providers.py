"""Identity providers as records (spec/api/02 §7)."""

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.identity_providers import (
    MAX_PROVIDERS,
    IdentityProvider,
    new_provider,
    updated_provider,
)
from poolhouse.core.paging import binding, cut
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.identity_providers import (
    check_signers,
    complete,
    described_provider,
    make_key_pair,
    open_provider,
    seal_provider,
)
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.model import (
    CreateIdentityProviderRequest,
    CreateIdentityProviderResponse,
    DeleteIdentityProviderRequest,
    DescribeIdentityProviderRequest,
    DescribeIdentityProviderResponse,
    DuplicateProviderException,
    GetIdentityProviderByIdentifierRequest,
    GetIdentityProviderByIdentifierResponse,
    IdentityProviderType,
    InvalidParameterException,
    LimitExceededException,
    ListIdentityProvidersRequest,
    ListIdentityProvidersResponse,
    ProviderDescription,
    ResourceNotFoundException,
    UpdateIdentityProviderRequest,
    UpdateIdentityProviderResponse,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

PAGE = 50
# Clients read at a time when one of their providers goes.
CLIENTS_AT_ONCE = 100


@operation
async def create_identity_provider(
    call: AdminCall, request: CreateIdentityProviderRequest
) -> CreateIdentityProviderResponse:
    """Add a SAML, OpenID Connect or social provider to a pool.

    Differs from Cognito: nothing is fetched from a provider before its first user comes, so that the addresses of an
    issuer are not in the answer, nor are the binding URIs of what MetadataURL leads to. ProviderDetails with a key that
    the type does not have are refused, and so are addresses that are neither https nor on the loopback; they may have
    any port. A `decryption_key` in PEM may come with its ActiveEncryptionCertificate, as an exported provider has them;
    it is never shown.
    """
    pair = await make_key_pair(call, request.user_pool_id, request.provider_details)

    def commit(tx: Tx) -> IdentityProviderType:
        pool = call.pool(tx, request.user_pool_id)
        if tx.identity_providers.find(pool.id, request.provider_name) is not None:
            raise AlreadyExists("provider")
        if tx.identity_providers.count(pool.id) >= MAX_PROVIDERS:
            raise LimitExceededException(f"A user pool can have at most {MAX_PROVIDERS} identity providers.")
        settings = complete(new_provider(request, pool, call.now), pair)
        check_signers(settings, call.now)
        tx.identity_providers.insert(seal_provider(call.deps, settings))
        return settings

    try:
        settings = await call.store.write(commit)
    except AlreadyExists as error:
        raise _taken(error.what, request.provider_name) from None
    return CreateIdentityProviderResponse(identity_provider=described_provider(settings))


@operation
async def describe_identity_provider(
    call: AdminCall, request: DescribeIdentityProviderRequest
) -> DescribeIdentityProviderResponse:
    """Return an identity provider, its client secret included, a private key never."""
    provider = await call.store.read(lambda tx: _get(call, tx, request.user_pool_id, request.provider_name))
    return DescribeIdentityProviderResponse(identity_provider=described_provider(open_provider(call.deps, provider)))


@operation
async def get_identity_provider_by_identifier(
    call: AdminCall, request: GetIdentityProviderByIdentifierRequest
) -> GetIdentityProviderByIdentifierResponse:
    """Return the identity provider that an identifier, such as a mail domain, belongs to."""

    def load(tx: Tx) -> IdentityProvider | None:
        pool = call.pool(tx, request.user_pool_id)
        return tx.identity_providers.find_by_identifier(pool.id, request.idp_identifier)

    provider = await call.store.read(load)
    if provider is None:
        raise _unknown(request.idp_identifier)
    settings = described_provider(open_provider(call.deps, provider))
    return GetIdentityProviderByIdentifierResponse(identity_provider=settings)


@operation
async def update_identity_provider(
    call: AdminCall, request: UpdateIdentityProviderRequest
) -> UpdateIdentityProviderResponse:
    """Change an identity provider: each member that the request has is replaced as a whole, the others stay.

    Differs from Cognito: as CreateIdentityProvider. A `private_key` that is left out of ProviderDetails stays, and so does
    what a provider encrypts assertions with, as long as EncryptedResponses is true.
    """
    pair = await make_key_pair(call, request.user_pool_id, request.provider_details)

    def commit(tx: Tx) -> IdentityProviderType:
        pool = call.pool(tx, request.user_pool_id)
        current = open_provider(call.deps, _get(call, tx, pool.id, request.provider_name))
        settings = complete(updated_provider(current, request, pool, call.now), pair)
        if request.provider_details is not None:
            check_signers(settings, call.now)
        tx.identity_providers.save(seal_provider(call.deps, settings))
        return settings

    try:
        settings = await call.store.write(commit)
    except AlreadyExists as error:
        raise _taken(error.what, request.provider_name) from None
    return UpdateIdentityProviderResponse(identity_provider=described_provider(settings))


@operation
async def delete_identity_provider(call: AdminCall, request: DeleteIdentityProviderRequest) -> None:
    """Delete an identity provider; app clients that list it do so no more."""

    def commit(tx: Tx) -> None:
        provider = _get(call, tx, request.user_pool_id, request.provider_name)
        tx.identity_providers.delete(provider.pool_id, provider.name)
        _drop_from_clients(tx, provider)

    await call.store.write(commit)


@operation
async def list_identity_providers(
    call: AdminCall, request: ListIdentityProvidersRequest
) -> ListIdentityProvidersResponse:
    """Return the identity providers of a pool by name, without their details."""
    bound = binding("ListIdentityProviders", request.user_pool_id)
    place = open_place(call, bound, request.next_token)
    limit = request.max_results or PAGE

    def load(tx: Tx) -> list[IdentityProvider]:
        pool = call.pool(tx, request.user_pool_id)
        return tx.identity_providers.page(pool.id, after=place[0] if place else None, limit=limit + 1)

    page, after = cut(await call.store.read(load), limit, lambda provider: provider.name)
    return ListIdentityProvidersResponse(
        providers=[
            ProviderDescription(
                provider_name=provider.name,
                provider_type=provider.settings.provider_type,
                creation_date=provider.settings.creation_date,
                last_modified_date=provider.settings.last_modified_date,
            )
            for provider in page
        ],
        next_token=seal_place(call, bound, after) if after else None,
    )


def _get(call: AdminCall, tx: Tx, pool_id: str, name: str) -> IdentityProvider:
    pool = call.pool(tx, pool_id)
    provider = tx.identity_providers.find(pool.id, name)
    if provider is None:
        raise _unknown(name)
    return provider


def _drop_from_clients(tx: Tx, provider: IdentityProvider) -> None:
    after: str | None = None
    while clients := tx.clients.page(provider.pool_id, after=after, limit=CLIENTS_AT_ONCE):
        for client in clients:
            names = client.settings.supported_identity_providers or []
            if provider.name in names:
                left = [name for name in names if name != provider.name] or None
                tx.clients.save(replace(client, settings=replace(client.settings, supported_identity_providers=left)))
        after = clients[-1].id


def _unknown(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Identity provider {name} does not exist.")


def _taken(what: str, name: str) -> Exception:
    kind, _, identifier = what.partition(":")
    if kind == "identifier":
        return InvalidParameterException(f"The identifier {identifier} belongs to another identity provider already.")
    return DuplicateProviderException(f"A provider with the name {name} already exists in this user pool.")
