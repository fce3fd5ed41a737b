"""The request rates of an account and Region (spec/api/10 §8, spec/api/09 §1)."""

from poolhouse.api.registry import operation
from poolhouse.core.rates import FREE, MAXIMUM, Category
from poolhouse.flows.calls import AdminCall
from poolhouse.model import (
    GetProvisionedLimitRequest,
    GetProvisionedLimitResponse,
    InvalidParameterException,
    LimitDefinitionType,
    LimitType,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
    UpdateProvisionedLimitRequest,
    UpdateProvisionedLimitResponse,
)
from poolhouse.storage import Tx

CATEGORY = "Category"


@operation
async def get_provisioned_limit(call: AdminCall, request: GetProvisionedLimitRequest) -> GetProvisionedLimitResponse:
    """Return the limit of a category in the caller's Region.

    Differs from Cognito: a category that was given no limit has none; the free value is answered for it.
    """
    category = _get_category(request.limit_definition)
    limits = await call.store.read(lambda tx: tx.rates.limits())
    call.deps.rates.take_over(limits)
    return GetProvisionedLimitResponse(limit=_described(call, request.limit_definition, category))


@operation
async def update_provisioned_limit(
    call: AdminCall, request: UpdateProvisionedLimitRequest
) -> UpdateProvisionedLimitResponse:
    """Set the limit of a category in the caller's Region; it is in force here at once, on other nodes within seconds.

    Differs from Cognito: every category can be set, up to 100,000 requests per second, whatever pages the pools have.
    A limit can be changed but not taken back; the greatest one is as good as none.
    """
    category, wanted = _get_category(request.limit_definition), request.requested_limit_value
    if wanted < FREE[category]:
        raise InvalidParameterException(
            f"The requested limit value {wanted} is less than the free limit value {FREE[category]}."
        )
    if wanted > MAXIMUM:
        raise ServiceQuotaExceededException(
            f"The requested limit value {wanted} exceeds the maximum limit of the account, {MAXIMUM}."
        )

    def commit(tx: Tx) -> dict[tuple[str, str], int]:
        tx.rates.set_limit(call.region, category.value, wanted)
        return tx.rates.limits()

    call.deps.rates.take_over(await call.store.write(commit))
    return UpdateProvisionedLimitResponse(limit=_described(call, request.limit_definition, category))


def _get_category(definition: LimitDefinitionType) -> Category:
    if set(definition.attributes) != {CATEGORY}:
        raise InvalidParameterException("The attributes of an API_CATEGORY limit are one: Category.")
    name = definition.attributes[CATEGORY]
    if name not in set(Category):
        raise ResourceNotFoundException(f"There is no limit for the category {name}.")
    return Category(name)


def _described(call: AdminCall, definition: LimitDefinitionType, category: Category) -> LimitType:
    provisioned = call.deps.rates.find(call.region, category)
    return LimitType(
        limit_definition=definition,
        provisioned_limit_value=FREE[category] if provisioned is None else provisioned,
        free_limit_value=FREE[category],
    )
