"""Domains of user pools (spec/api/02 §6)."""

from poolhouse.api.registry import operation
from poolhouse.core.domain import Domain
from poolhouse.core.domain_rules import (
    NO_SUCH_DOMAIN,
    new_domain,
    pool_with_domain,
    pool_without_domain,
    updated_domain,
)
from poolhouse.core.names import new_distribution
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import AdminCall
from poolhouse.model import (
    CreateUserPoolDomainRequest,
    CreateUserPoolDomainResponse,
    DeleteUserPoolDomainRequest,
    DeleteUserPoolDomainResponse,
    DescribeUserPoolDomainRequest,
    DescribeUserPoolDomainResponse,
    DomainDescriptionType,
    InvalidParameterException,
    ResourceNotFoundException,
    UpdateUserPoolDomainRequest,
    UpdateUserPoolDomainResponse,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists


@operation
async def create_user_pool_domain(
    call: AdminCall, request: CreateUserPoolDomainRequest
) -> CreateUserPoolDomainResponse:
    """Give a pool a prefix domain or a custom domain; it works at once.

    Differs from Cognito: a prefix is unique in the whole installation, the parent of a custom domain is not
    looked up, its certificate is not needed, and custom domains are not limited to four. The CloudFront name in the
    answer leads nowhere: point the custom domain at this server.
    """
    distribution = new_distribution(call.deps.random.text)

    def commit(tx: Tx) -> Domain:
        pool = call.pool(tx, request.user_pool_id)
        domain = new_domain(
            request, pool, account_id=call.deps.identity.account_id, distribution=distribution, now=call.now
        )
        taken = tx.domains.find(domain.name)
        if taken is not None and taken.pool_id != pool.id:
            raise InvalidParameterException("Domain already associated with another user pool.")
        tx.pools.save(pool_with_domain(pool, domain))
        tx.domains.insert(domain)
        return domain

    try:
        domain = await call.store.write(commit)
    except AlreadyExists:
        raise InvalidParameterException("Domain already associated with another user pool.") from None
    return CreateUserPoolDomainResponse(
        cloud_front_domain=domain.description.cloud_front_distribution if domain.custom else None,
        managed_login_version=domain.description.managed_login_version,
        routing=domain.description.routing,
    )


@operation
async def describe_user_pool_domain(
    call: AdminCall, request: DescribeUserPoolDomainRequest
) -> DescribeUserPoolDomainResponse:
    """Return what is known of a domain: nothing at all where there is none."""

    def load(tx: Tx) -> DomainDescriptionType:
        try:
            pool, domain = _owned(call, tx, request.domain)
        except InvalidParameterException:
            return DomainDescriptionType()
        # A prefix domain belongs to the Region where it was made.
        return DomainDescriptionType() if pool.seat is not None and not domain.custom else domain.description

    return DescribeUserPoolDomainResponse(domain_description=await call.store.read(load))


@operation
async def update_user_pool_domain(
    call: AdminCall, request: UpdateUserPoolDomainRequest
) -> UpdateUserPoolDomainResponse:
    """Change the certificate, the routing or the branding version of a domain; what is left out stays."""

    def commit(tx: Tx) -> Domain:
        pool, domain = _owned(call, tx, request.domain, request.user_pool_id)
        domain = updated_domain(domain, request, pool, call.now)
        tx.domains.save(domain)
        return domain

    domain = await call.store.write(commit)
    return UpdateUserPoolDomainResponse(
        cloud_front_domain=domain.description.cloud_front_distribution if domain.custom else None,
        managed_login_version=domain.description.managed_login_version,
        routing=domain.description.routing,
    )


@operation
async def delete_user_pool_domain(
    call: AdminCall, request: DeleteUserPoolDomainRequest
) -> DeleteUserPoolDomainResponse:
    """Take a domain from a pool."""

    def commit(tx: Tx) -> None:
        pool, domain = _owned(call, tx, request.domain, request.user_pool_id)
        tx.pools.save(pool_without_domain(pool, domain))
        tx.domains.delete(domain.name)

    await call.store.write(commit)
    return DeleteUserPoolDomainResponse()


def _owned(call: AdminCall, tx: Tx, name: str, pool_id: str | None = None) -> tuple[Pool, Domain]:
    """Return a domain and its pool, which must be the given one and visible to the caller.

    Raises InvalidParameterException.
    """
    refused = InvalidParameterException(NO_SUCH_DOMAIN)
    domain = tx.domains.find(name)
    if domain is None or pool_id not in {None, domain.pool_id}:
        raise refused
    try:
        return call.pool(tx, domain.pool_id), domain
    except ResourceNotFoundException:
        raise refused from None
