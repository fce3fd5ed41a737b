"""Why a function gave no answer."""


class FunctionFailed(Exception):
    """The function ran and threw; the text is its own, and its caller sees it."""


class NotInvoked(Exception):
    """The function could not be run. The text is the type of the error in AWS's words, or what Cognito says of it.

    ``passing`` is whether another try may succeed.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


# What Cognito says of a function that does not answer in time (spec/api/06 §1.2).
TIMED_OUT = "Socket timeout while invoking Lambda function"
NO_FUNCTION = "ResourceNotFoundException"
UNAVAILABLE = "ServiceException"
