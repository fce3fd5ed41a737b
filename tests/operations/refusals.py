"""Calls that must fail."""

import pytest
from botocore.exceptions import ClientError


def refused(call, code, operation, **members):
    """Make a call that fails with this code; give the error's text."""
    with pytest.raises(ClientError) as caught:
        call(operation, **members)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    return error["Message"]


def unchecked(server):
    """Call operations without botocore's own checks of lengths and values."""
    client = server.boto(config={"parameter_validation": False})
    return lambda operation, **members: client._make_api_call(operation, members)
