"""``@operation`` compares a function with its row (ARCHITECTURE §6.2)."""

import pytest

from poolhouse.api import registry
from poolhouse.api.registry import CALLS, HANDLERS, RegistryError, operation
from poolhouse.flows.calls import AdminCall, PublicCall, UserCall
from poolhouse.model import (
    OPERATIONS,
    AdminDeleteUserRequest,
    GetUserRequest,
    GetUserResponse,
    ListUsersRequest,
    ListUsersResponse,
    SignUpResponse,
)


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HANDLERS", {})


def test_a_function_that_agrees_is_stored_as_it_is() -> None:
    """The decorator gives the same function back: nothing is left to do at run time."""

    async def list_users(call: AdminCall, request: ListUsersRequest) -> ListUsersResponse:
        return ListUsersResponse()

    assert operation(list_users) is list_users
    assert {"ListUsers": list_users} == registry.HANDLERS
    with pytest.raises(registry.RegistryError, match="no handler for AddCustomAttributes"):
        registry.check_complete()


def test_operations_without_output_return_none() -> None:
    """Where the service has no output shape, the function is annotated so."""

    async def admin_delete_user(call: AdminCall, request: AdminDeleteUserRequest) -> None:
        return None

    operation(admin_delete_user)
    assert "AdminDeleteUser" in registry.HANDLERS


def test_the_wrong_call_is_refused() -> None:
    """A handler cannot ask for a caller that the operation does not have."""

    async def list_users(call: UserCall, request: ListUsersRequest) -> ListUsersResponse:
        return ListUsersResponse()

    with pytest.raises(RegistryError, match="list_users: the model says AdminCall, call says UserCall"):
        operation(list_users)


def test_the_wrong_request_or_response_is_refused() -> None:
    """Request and response are those of the row."""

    async def list_users(call: AdminCall, request: GetUserRequest) -> ListUsersResponse:
        return ListUsersResponse()

    with pytest.raises(RegistryError, match="the model says ListUsersRequest"):
        operation(list_users)

    async def get_user(call: UserCall, request: GetUserRequest) -> SignUpResponse:
        raise NotImplementedError

    with pytest.raises(RegistryError, match="the model says GetUserResponse"):
        operation(get_user)


def test_annotations_are_needed() -> None:
    """A missing annotation is a disagreement."""

    async def get_user(call, request: GetUserRequest) -> GetUserResponse:
        raise NotImplementedError

    with pytest.raises(RegistryError, match="the model says UserCall, call says nothing"):
        operation(get_user)


def test_names_count() -> None:
    """A function is found by its name, once, and must be async."""

    async def get_users(call: PublicCall, request: GetUserRequest) -> GetUserResponse:
        raise NotImplementedError

    with pytest.raises(RegistryError, match="no such operation"):
        operation(get_users)

    def get_user(call: UserCall, request: GetUserRequest) -> GetUserResponse:
        raise NotImplementedError

    with pytest.raises(RegistryError, match="must be async"):
        operation(get_user)

    async def list_users(call: AdminCall, request: ListUsersRequest) -> ListUsersResponse:
        return ListUsersResponse()

    operation(list_users)
    with pytest.raises(RegistryError, match="has a handler already"):
        operation(list_users)


def test_functions_take_two_arguments() -> None:
    """There is no third thing to inject."""

    async def get_user(call: UserCall, request: GetUserRequest, more: int) -> GetUserResponse:
        raise NotImplementedError

    with pytest.raises(RegistryError, match="a call and a request, nothing else"):
        operation(get_user)


def test_the_handlers_there_are_agree_with_the_model() -> None:
    """Importing the operations registers each under its own name."""
    import poolhouse.api.operations  # noqa: F401

    for name, handler in HANDLERS.items():
        assert handler.__name__ == registry.function_name(name)
        assert handler.__annotations__["call"] is CALLS[OPERATIONS[name].access]
