"""What pools deliver as logs (spec/api/07 §7)."""

from poolhouse.api.registry import operation
from poolhouse.core.log_delivery import check_configurations
from poolhouse.flows.calls import AdminCall
from poolhouse.model import (
    GetLogDeliveryConfigurationRequest,
    GetLogDeliveryConfigurationResponse,
    LogDeliveryConfigurationType,
    SetLogDeliveryConfigurationRequest,
    SetLogDeliveryConfigurationResponse,
)
from poolhouse.storage import Tx


@operation
async def get_log_delivery_configuration(
    call: AdminCall, request: GetLogDeliveryConfigurationRequest
) -> GetLogDeliveryConfigurationResponse:
    """Show what a pool delivers, and where to."""
    found = await call.store.read(
        lambda tx: tx.log_deliveries.find(call.pool(tx, request.user_pool_id).id)
    ) or LogDeliveryConfigurationType(user_pool_id=request.user_pool_id, log_configurations=[])
    return GetLogDeliveryConfigurationResponse(log_delivery_configuration=found)


@operation
async def set_log_delivery_configuration(
    call: AdminCall, request: SetLogDeliveryConfigurationRequest
) -> SetLogDeliveryConfigurationResponse:
    """Set what a pool delivers in the place of what was set before; an empty list ends all delivery.

    Differs from Cognito: POOLHOUSE_LOG_DELIVERY says what an ARN stands for: standard output, a file or an HTTP
    collector. Records are delivered at least once, and dropped when nobody took them for a week. In userAuthEvents,
    compromisedCredentialDetected, city and country are null, since nobody looks at that in this version.
    """
    made = LogDeliveryConfigurationType(
        user_pool_id=request.user_pool_id, log_configurations=request.log_configurations
    )

    def commit(tx: Tx) -> None:
        check_configurations(call.pool(tx, request.user_pool_id).settings, request.log_configurations)
        tx.log_deliveries.put(made)

    await call.store.write(commit)
    return SetLogDeliveryConfigurationResponse(log_delivery_configuration=made)
