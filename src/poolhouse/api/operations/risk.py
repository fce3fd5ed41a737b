"""Risk configurations of pools and app clients (spec/api/07 §2)."""

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.pool import Pool
from poolhouse.core.risk import check_only_sender, new_configuration, seen_through
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.feedback import check_add_on
from poolhouse.model import (
    DescribeRiskConfigurationRequest,
    DescribeRiskConfigurationResponse,
    RiskConfigurationType,
    SetRiskConfigurationRequest,
    SetRiskConfigurationResponse,
)
from poolhouse.storage import Tx


@operation
async def describe_risk_configuration(
    call: AdminCall, request: DescribeRiskConfigurationRequest
) -> DescribeRiskConfigurationResponse:
    """Show what was set for a pool, or for an app client in the place of its pool's."""

    def load(tx: Tx) -> RiskConfigurationType | None:
        pool = _get_place(call, tx, request)
        found = tx.risk_configurations.find(pool.id, request.client_id)
        return found if pool.seat is None else seen_through(found, pool.seat.risk_senders.get(request.client_id or ""))

    found = await call.store.read(load)
    return DescribeRiskConfigurationResponse(risk_configuration=found or _nothing_set(request))


@operation
async def set_risk_configuration(call: AdminCall, request: SetRiskConfigurationRequest) -> SetRiskConfigurationResponse:
    """Set what a pool, or an app client in the place of its pool's, makes of risk; the whole is replaced.

    A request with ids alone brings the defaults back: those of the service, or for a client those of its pool.

    Differs from Cognito: of a configuration that is set, what is left out takes no action. Mail needs no permission of
    SourceArn, an address in which counts where From is left out. Where both lists hold an address, it is blocked.
    """
    made = new_configuration(request)

    def commit(tx: Tx) -> None:
        pool = _get_place(call, tx, request)
        if pool.seat is not None:
            sender = check_only_sender(tx.risk_configurations.find(pool.id, request.client_id), made)
            senders = pool.seat.risk_senders | {request.client_id or "": sender}
            tx.replicas.save(pool.id, replace(pool.seat, risk_senders=senders))
        elif made is None:
            tx.risk_configurations.delete(request.user_pool_id, request.client_id)
        else:
            dated = replace(made, last_modified_date=call.now / 1000)
            tx.risk_configurations.put(request.user_pool_id, request.client_id, dated)

    await call.store.write(commit)
    # The answer comes without LastModifiedDate (spec/api/07 §2).
    return SetRiskConfigurationResponse(risk_configuration=made or _nothing_set(request))


def _get_place(
    call: AdminCall, tx: Tx, request: DescribeRiskConfigurationRequest | SetRiskConfigurationRequest
) -> Pool:
    pool = call.pool(tx, request.user_pool_id)
    check_add_on(pool)
    if request.client_id is not None:
        call.client(tx, request.user_pool_id, request.client_id)
    return pool


def _nothing_set(request: DescribeRiskConfigurationRequest | SetRiskConfigurationRequest) -> RiskConfigurationType:
    return RiskConfigurationType(user_pool_id=request.user_pool_id, client_id=request.client_id)
