"""What an operation may answer."""

from poolhouse.api import errors as protocol
from poolhouse.model import (
    OPERATIONS,
    AliasExistsException,
    LimitExceededException,
    SoftwareTokenMFANotFoundException,
)
from tests.wire.client import Answer

PROTOCOL = {
    name
    for name, found in vars(protocol).items()
    if isinstance(found, type) and issubclass(found, protocol.ProtocolError)
}
# Documented, although not declared (ARCHITECTURE §6.1; spec/api/04 §9 for the preferences).
DOCUMENTED = {
    "AdminCreateUser": AliasExistsException,
    "AdminAddUserToGroup": LimitExceededException,
    "SetUserMFAPreference": SoftwareTokenMFANotFoundException,
    "AdminSetUserMFAPreference": SoftwareTokenMFANotFoundException,
}


def check(operation: str, answer: Answer, body: bytes) -> None:
    """Fail unless the answer is a success or an error that the operation may give."""
    told = f"{operation} {body[:2000]!r} → {answer.status} {answer.body[:500]!r}"
    row = OPERATIONS[operation]
    if answer.status == 200:
        if row.response is None:
            assert answer.body == b"", told
        else:
            assert isinstance(answer.document, dict), told
        return
    assert answer.status < 500, told
    allowed = {error.__name__ for error in row.errors} | PROTOCOL
    if operation in DOCUMENTED:
        allowed.add(DOCUMENTED[operation].__name__)
    assert answer.code in allowed, told
    assert answer.headers["x-amzn-errortype"] == f"{answer.code}:", told
