"""Lambda triggers: the seam between the flows and the functions that a pool names.

Differs from Cognito (Lambda triggers): no function is invoked in this version. Where a pool names one for a step, the
step is refused with UnexpectedLambdaException, never taken without the function's consent.

The flows consult it in the documented places (spec/api/06 §2). Which of a pool's functions belongs to a trigger
source is known here; what the events hold is the flows' business.
"""

from typing import Any

from poolhouse.core.pool import Pool
from poolhouse.model import LambdaConfigType, UnexpectedLambdaException

# The members of LambdaConfig that name a trigger's function, the one that counts first.
MEMBERS = {
    "PreSignUp": ("pre_sign_up",),
    "PostConfirmation": ("post_confirmation",),
    "PreAuthentication": ("pre_authentication",),
    "PostAuthentication": ("post_authentication",),
    "DefineAuthChallenge": ("define_auth_challenge",),
    "CreateAuthChallenge": ("create_auth_challenge",),
    "VerifyAuthChallengeResponse": ("verify_auth_challenge_response",),
    "PreTokenGeneration": ("pre_token_generation_config", "pre_token_generation"),
    "UserMigration": ("user_migration",),
    "CustomMessage": ("custom_message",),
    "CustomEmailSender": ("custom_email_sender",),
    "CustomSMSSender": ("custom_sms_sender",),
    "InboundFederation": ("inbound_federation",),
}
# The part of a trigger source before its underscore, where errors call the trigger by another name.
TRIGGER_NAMES = {"TokenGeneration": "PreTokenGeneration"}


def find_function(configuration: LambdaConfigType | None, trigger: str) -> str | None:
    """Return the ARN of the function that a pool has for a trigger such as ``PreSignUp``; None without one."""
    for member in MEMBERS[trigger]:
        named = getattr(configuration, member, None)
        if named:
            arn: str = getattr(named, "lambda_arn", named)
            return arn
    return None


class Triggers:
    """Consults the functions of a pool's LambdaConfig."""

    async def consult(self, pool: Pool, source: str, event: dict[str, Any]) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the function's ``response`` for a trigger source such as ``PreSignUp_SignUp``.

        ``event`` is the ``request`` part of the event. None where the pool has no function for the source.
        Raises UnexpectedLambdaException where it has one, as Cognito does where the function does not exist:
        this version invokes no functions.
        """
        prefix = source.partition("_")[0]
        trigger = TRIGGER_NAMES.get(prefix, prefix)
        if find_function(pool.settings.lambda_config, trigger) is None:
            return None
        raise UnexpectedLambdaException(f"{trigger} invocation failed due to error ResourceNotFoundException.")
