"""What users did, as threat protection records it, and feedback on it (spec/api/07 §5)."""

from poolhouse.api.registry import operation
from poolhouse.core.auth_events import AuthEvent, describe
from poolhouse.core.paging import binding
from poolhouse.core.user import User
from poolhouse.flows import feedback
from poolhouse.flows.calls import AdminCall, PublicCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.users import get_user
from poolhouse.model import (
    AdminListUserAuthEventsRequest,
    AdminListUserAuthEventsResponse,
    AdminUpdateAuthEventFeedbackRequest,
    AdminUpdateAuthEventFeedbackResponse,
    ResourceNotFoundException,
    UpdateAuthEventFeedbackRequest,
    UpdateAuthEventFeedbackResponse,
)
from poolhouse.storage import Tx

PAGE = 60


@operation
async def admin_list_user_auth_events(
    call: AdminCall, request: AdminListUserAuthEventsRequest
) -> AdminListUserAuthEventsResponse:
    """Return what a user did in the last two years, newest first.

    Differs from Cognito: City and Country are told where POOLHOUSE_GEOIP names a file of places. Of refusals that ask for
    no password or code, 30 in an hour are recorded for each user.
    """
    bound = binding("AdminListUserAuthEvents", request.user_pool_id, request.username)
    place = open_place(call, bound, request.next_token)
    limit = request.max_results or PAGE
    before = (int(place[0]), place[1]) if place else None

    def load(tx: Tx) -> list[AuthEvent]:
        return tx.auth_events.page(_get_user(tx, call, request), before=before, limit=limit + 1)

    events = await call.store.read(load)
    page = events[:limit]
    return AdminListUserAuthEventsResponse(
        auth_events=[describe(event) for event in page],
        next_token=seal_place(call, bound, str(page[-1].at), page[-1].id) if len(events) > limit else None,
    )


@operation
async def admin_update_auth_event_feedback(
    call: AdminCall, request: AdminUpdateAuthEventFeedbackRequest
) -> AdminUpdateAuthEventFeedbackResponse:
    """Say whether an event was the user's own doing.

    Differs from Cognito: what is said to be the user's makes its device and place known ones, what is said not to be
    does not count as known any more.
    """

    def commit(tx: Tx) -> None:
        user = _get_user(tx, call, request)
        feedback.give(tx, call, user, request.event_id, request.feedback_value, feedback.ADMIN)

    await call.store.write(commit)
    return AdminUpdateAuthEventFeedbackResponse()


@operation
async def update_auth_event_feedback(
    call: PublicCall, request: UpdateAuthEventFeedbackRequest
) -> UpdateAuthEventFeedbackResponse:
    """Say by the token of a mail whether an event was one's own doing; what was said last counts.

    Differs from Cognito: as AdminUpdateAuthEventFeedback; the links of mail lead to a page of this server.
    """

    def commit(tx: Tx) -> None:
        pool = tx.catalogue.find_pool(request.user_pool_id)
        if pool is None or pool.builtin:
            raise ResourceNotFoundException(f"User pool {request.user_pool_id} does not exist.")
        pool = call.here(pool)
        feedback.check_add_on(pool)
        user = feedback.get_bearer(tx, call, pool, request.username, request.event_id, request.feedback_token)
        feedback.give(tx, call, user, request.event_id, request.feedback_value, feedback.USER)

    await call.store.write(commit)
    return UpdateAuthEventFeedbackResponse()


def _get_user(
    tx: Tx, call: AdminCall, request: AdminListUserAuthEventsRequest | AdminUpdateAuthEventFeedbackRequest
) -> User:
    pool = call.pool(tx, request.user_pool_id)
    feedback.check_add_on(pool)
    return get_user(tx, pool, request.username)
