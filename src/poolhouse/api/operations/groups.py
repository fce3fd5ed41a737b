"""Groups and who is in them (spec/api/05 §2 and §3)."""

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.groups import MAX_GROUPS, MAX_GROUPS_OF_USER, Group, describe, new_group
from poolhouse.core.paging import binding, cut, page_of
from poolhouse.core.user import User
from poolhouse.flows import users
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.users import get_user
from poolhouse.model import (
    AdminAddUserToGroupRequest,
    AdminListGroupsForUserRequest,
    AdminListGroupsForUserResponse,
    AdminRemoveUserFromGroupRequest,
    CreateGroupRequest,
    CreateGroupResponse,
    DeleteGroupRequest,
    GetGroupRequest,
    GetGroupResponse,
    GroupExistsException,
    LimitExceededException,
    ListGroupsRequest,
    ListGroupsResponse,
    ListUsersInGroupRequest,
    ListUsersInGroupResponse,
    ResourceNotFoundException,
    UpdateGroupRequest,
    UpdateGroupResponse,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

PAGE = 60


@operation
async def create_group(call: AdminCall, request: CreateGroupRequest) -> CreateGroupResponse:
    """Add a group to a pool."""
    group = new_group(request, call.now)

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, request.user_pool_id)
        if tx.groups.find(pool.id, group.name) is not None:
            raise AlreadyExists("group")
        if tx.groups.count(pool.id) >= MAX_GROUPS:
            raise LimitExceededException(f"A user pool can have at most {MAX_GROUPS} groups.")
        tx.groups.insert(group)

    try:
        await call.store.write(commit)
    except AlreadyExists:
        raise GroupExistsException("A group with the name already exists.") from None
    return CreateGroupResponse(group=describe(group))


@operation
async def get_group(call: AdminCall, request: GetGroupRequest) -> GetGroupResponse:
    """Return a group."""
    group = await call.store.read(lambda tx: _get(call, tx, request.user_pool_id, request.group_name))
    return GetGroupResponse(group=describe(group))


@operation
async def update_group(call: AdminCall, request: UpdateGroupRequest) -> UpdateGroupResponse:
    """Change the description, role or precedence of a group; what is left out stays as it is."""

    def commit(tx: Tx) -> Group:
        group = _get(call, tx, request.user_pool_id, request.group_name)
        changed = replace(
            group,
            description=group.description if request.description is None else request.description,
            role_arn=group.role_arn if request.role_arn is None else request.role_arn,
            precedence=group.precedence if request.precedence is None else request.precedence,
            modified_at=call.now,
        )
        tx.groups.save(changed)
        return changed

    return UpdateGroupResponse(group=describe(await call.store.write(commit)))


@operation
async def delete_group(call: AdminCall, request: DeleteGroupRequest) -> None:
    """Delete a group. Its members stay as users, and are in it no more."""
    await call.store.write(lambda tx: tx.groups.delete(_get(call, tx, request.user_pool_id, request.group_name)))


@operation
async def list_groups(call: AdminCall, request: ListGroupsRequest) -> ListGroupsResponse:
    """Return the groups of a pool, by name."""
    bound = binding("ListGroups", request.user_pool_id)
    place = open_place(call, bound, request.next_token)
    limit = request.limit or PAGE

    def load(tx: Tx) -> list[Group]:
        pool = call.pool(tx, request.user_pool_id)
        return tx.groups.page(pool.id, after=place[0] if place else None, limit=limit + 1)

    page, after = cut(await call.store.read(load), limit, lambda group: group.name)
    return ListGroupsResponse(
        groups=[describe(group) for group in page], next_token=seal_place(call, bound, after) if after else None
    )


@operation
async def admin_add_user_to_group(call: AdminCall, request: AdminAddUserToGroupRequest) -> None:
    """Put a user into a group; nothing happens where it is in it already."""

    def commit(tx: Tx) -> None:
        group, user = _get_both(call, tx, request)
        total = tx.groups.add(group, user)
        if total is not None and total > MAX_GROUPS_OF_USER:
            raise LimitExceededException(f"A user can be in at most {MAX_GROUPS_OF_USER} groups.")

    await call.store.write(commit)


@operation
async def admin_remove_user_from_group(call: AdminCall, request: AdminRemoveUserFromGroupRequest) -> None:
    """Take a user out of a group; nothing happens where it is not in it."""
    await call.store.write(lambda tx: tx.groups.remove(*_get_both(call, tx, request)))


@operation
async def admin_list_groups_for_user(
    call: AdminCall, request: AdminListGroupsForUserRequest
) -> AdminListGroupsForUserResponse:
    """Return the groups that a user is in, in the order that its tokens name them."""

    def load(tx: Tx) -> tuple[User, tuple[Group, ...]]:
        user = get_user(tx, call.pool(tx, request.user_pool_id), request.username)
        return user, tx.groups.of_user(user)

    user, groups = await call.store.read(load)
    bound = binding("AdminListGroupsForUser", request.user_pool_id, user.sub)
    place = open_place(call, bound, request.next_token)
    page, after = page_of(groups, place, request.limit or PAGE, lambda group: group.place)
    return AdminListGroupsForUserResponse(
        groups=[describe(group) for group in page], next_token=seal_place(call, bound, *after) if after else None
    )


@operation
async def list_users_in_group(call: AdminCall, request: ListUsersInGroupRequest) -> ListUsersInGroupResponse:
    """Return the users in a group, by user name, with all their attributes."""
    bound = binding("ListUsersInGroup", request.user_pool_id, request.group_name)
    place = open_place(call, bound, request.next_token)
    limit = request.limit or PAGE

    def load(tx: Tx) -> list[User]:
        group = _get(call, tx, request.user_pool_id, request.group_name)
        return tx.groups.members(group, after=place[0] if place else None, limit=limit + 1)

    page, after = cut(await call.store.read(load), limit, lambda user: user.username)
    return ListUsersInGroupResponse(
        users=[users.describe(user) for user in page], next_token=seal_place(call, bound, after) if after else None
    )


def _get(call: AdminCall, tx: Tx, pool_id: str, name: str) -> Group:
    group = tx.groups.find(call.pool(tx, pool_id).id, name)
    if group is None:
        raise ResourceNotFoundException("Group not found.")
    return group


def _get_both(
    call: AdminCall, tx: Tx, request: AdminAddUserToGroupRequest | AdminRemoveUserFromGroupRequest
) -> tuple[Group, User]:
    group = _get(call, tx, request.user_pool_id, request.group_name)
    return group, get_user(tx, call.pool(tx, request.user_pool_id), request.username)
