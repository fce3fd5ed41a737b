"""Why a function gave no answer."""


class BadMapping(Exception):
    """A setting that maps functions cannot be used; the text is for the operator."""


class FunctionFailed(Exception):
    """The function ran and threw; the text is its own, and its caller sees it."""


class NotInvoked(Exception):
    """The function could not be run. The text is the type of the error in AWS's words, or what Cognito says of it.

    ``passing`` is whether another try may succeed, ``detail`` what the operator reads in the log beside the text.
    """

    def __init__(self, reason: str, *, detail: str = "", passing: bool = False) -> None:
        super().__init__(reason)
        self.detail, self.passing = detail, passing

    def __str__(self) -> str:
        return f"{self.args[0]} ({self.detail})" if self.detail else str(self.args[0])

    @property
    def reason(self) -> str:
        """What the caller is told."""
        return str(self.args[0])


# What Cognito says of a function that does not answer in time (spec/api/06 §1.2).
TIMED_OUT = "Socket timeout while invoking Lambda function"
# Errors of the Lambda API, which its users know.
NO_FUNCTION = "ResourceNotFoundException"
UNAVAILABLE = "ServiceException"
TOO_LARGE = "RequestTooLargeException"
