"""User pools (spec/api/02 §1–4)."""

from base64 import b64encode

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.mfa_settings import pool_with_mfa
from poolhouse.core.paging import binding, cut
from poolhouse.core.pool import Pool
from poolhouse.core.pool_settings import pool_with_attributes
from poolhouse.core.signing_key import SigningKey
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.import_jobs import check_no_import
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.pools import create_pool, delete_pool, update_pool
from poolhouse.model import (
    AddCustomAttributesRequest,
    AddCustomAttributesResponse,
    CreateUserPoolRequest,
    CreateUserPoolResponse,
    DeleteUserPoolRequest,
    DescribeUserPoolRequest,
    DescribeUserPoolResponse,
    GetSigningCertificateRequest,
    GetSigningCertificateResponse,
    GetUserPoolMfaConfigRequest,
    GetUserPoolMfaConfigResponse,
    ListUserPoolsRequest,
    ListUserPoolsResponse,
    SetUserPoolMfaConfigRequest,
    SetUserPoolMfaConfigResponse,
    UpdateUserPoolRequest,
    UpdateUserPoolResponse,
    UserPoolDescriptionType,
    UserPoolType,
)
from poolhouse.storage import Tx


@operation
async def create_user_pool(call: AdminCall, request: CreateUserPoolRequest) -> CreateUserPoolResponse:
    """Make a user pool.

    Differs from Cognito: the roles of SmsConfiguration and the functions of LambdaConfig are not tried out.
    Text messages of all pools leave by the gateway of POOLHOUSE_SMS_URL: of SmsConfiguration only SnsRegion
    counts, where that is SNS, and what EumsSms names (origination identity, configuration set, templates) is
    kept and shown, and not used. A Region can have 10,000 pools. KeyConfiguration has no effect but on replicas: secrets are
    sealed with the installation's master key.
    """
    pool = await create_pool(call, request)
    return CreateUserPoolResponse(user_pool=_described(pool, users=0))


@operation
async def describe_user_pool(call: AdminCall, request: DescribeUserPoolRequest) -> DescribeUserPoolResponse:
    """Return the settings of a user pool."""

    def load(tx: Tx) -> UserPoolType:
        pool = call.pool(tx, request.user_pool_id)
        return _described(pool, users=tx.pools.user_count(pool.id))

    return DescribeUserPoolResponse(user_pool=await call.store.read(load))


def _described(pool: Pool, *, users: int) -> UserPoolType:
    return replace(pool.settings, estimated_number_of_users=users)


@operation
async def update_user_pool(call: AdminCall, request: UpdateUserPoolRequest) -> UpdateUserPoolResponse:
    """Change the settings of a user pool. Which omitted members are reset is as measured, not as documented.

    Differs from Cognito: as CreateUserPool.
    """
    await update_pool(call, request)
    return UpdateUserPoolResponse()


@operation
async def delete_user_pool(call: AdminCall, request: DeleteUserPoolRequest) -> None:
    """Delete a user pool and everything in it."""
    await delete_pool(call, request.user_pool_id)


@operation
async def list_user_pools(call: AdminCall, request: ListUserPoolsRequest) -> ListUserPoolsResponse:
    """Return the user pools of the caller's Region, and those with a replica there, by id."""
    bound = binding("ListUserPools", call.region)
    place = open_place(call, bound, request.next_token)
    limit = request.max_results
    pools = await call.store.read(
        lambda tx: tx.pools.page(region=call.region, after=place[0] if place else None, limit=limit + 1)
    )
    page, after = cut(pools, limit, lambda pool: pool.id)
    return ListUserPoolsResponse(
        user_pools=[_listed(pool) for pool in page],
        next_token=seal_place(call, bound, after) if after else None,
    )


def _listed(pool: Pool) -> UserPoolDescriptionType:
    settings = pool.settings
    return UserPoolDescriptionType(
        id=settings.id,
        name=settings.name,
        lambda_config=settings.lambda_config,
        last_modified_date=settings.last_modified_date,
        creation_date=settings.creation_date,
        replica_regions=[replica.region for replica in pool.replicas] or None,
    )


@operation
async def add_custom_attributes(call: AdminCall, request: AddCustomAttributesRequest) -> AddCustomAttributesResponse:
    """Add custom attributes to the schema of a pool, for ever."""

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, request.user_pool_id)
        check_no_import(tx, pool.id)
        tx.pools.save(pool_with_attributes(pool, request.custom_attributes, call.now))

    await call.store.write(commit)
    return AddCustomAttributesResponse()


@operation
async def get_user_pool_mfa_config(
    call: AdminCall, request: GetUserPoolMfaConfigRequest
) -> GetUserPoolMfaConfigResponse:
    """Return the multi-factor settings of a pool: those blocks that are configured."""
    return await call.store.read(lambda tx: call.pool(tx, request.user_pool_id).mfa)


@operation
async def set_user_pool_mfa_config(
    call: AdminCall, request: SetUserPoolMfaConfigRequest
) -> SetUserPoolMfaConfigResponse:
    """Replace the multi-factor settings of a pool.

    Differs from Cognito: the roles of SmsConfiguration are not tried out, see CreateUserPool.
    """

    def commit(tx: Tx) -> GetUserPoolMfaConfigResponse:
        pool = pool_with_mfa(call.pool(tx, request.user_pool_id), request, call.now)
        tx.pools.save(pool)
        return pool.mfa

    mfa = await call.store.write(commit)
    return SetUserPoolMfaConfigResponse(
        mfa_configuration=mfa.mfa_configuration,
        sms_mfa_configuration=mfa.sms_mfa_configuration,
        software_token_mfa_configuration=mfa.software_token_mfa_configuration,
        email_mfa_configuration=mfa.email_mfa_configuration,
        web_authn_configuration=mfa.web_authn_configuration,
    )


@operation
async def get_signing_certificate(
    call: AdminCall, request: GetSigningCertificateRequest
) -> GetSigningCertificateResponse:
    """Return the certificate of the key that signs a pool's SAML requests: DER in base64, without PEM armour.

    Differs from Cognito: the key signs the pool's access tokens as well, and the certificate is not renewed each year.
    """

    def load(tx: Tx) -> SigningKey:
        return tx.catalogue.signing_keys(call.pool(tx, request.user_pool_id).id).access

    key = await call.store.read(load)
    certificate = key.certificate or call.deps.keyring.certificate(key, request.user_pool_id, key.created_at)
    return GetSigningCertificateResponse(certificate=b64encode(certificate).decode())
