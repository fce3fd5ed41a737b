"""Lambda triggers: how the functions that pools name are reached.

The flows consult them in the documented places (spec/api/06 §2); what the events hold is the flows' business.
"""

from typing import Any

from poolhouse.model import UnexpectedLambdaException


class Triggers:
    """Invokes the functions that pools name by ARN."""

    async def invoke(self, trigger: str, arn: str, event: dict[str, Any]) -> Any:  # noqa: ARG002
        """Return what a function returns for an event; ``trigger`` is the name that errors call it.

        Raises UserLambdaValidationException and UnexpectedLambdaException (spec/api/06 §1.2).
        """
        raise UnexpectedLambdaException(f"{trigger} invocation failed due to error ResourceNotFoundException.")
