"""Recovering passwords: whether users of a pool may, and where the code goes (spec/api/03 §7)."""

from poolhouse.core.codes import MESSAGED
from poolhouse.core.factors import due_factors
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.model import InvalidParameterException, NotAuthorizedException, RecoveryOptionNameType

RECOVERY_ATTRIBUTES = {
    RecoveryOptionNameType.verified_email: "email",
    RecoveryOptionNameType.verified_phone_number: "phone_number",
}


def check_recoverable(pool: Pool) -> None:
    """Check that users of the pool may recover passwords by themselves; raises NotAuthorizedException."""
    setting = pool.settings.account_recovery_setting
    names = {option.name for option in (setting and setting.recovery_mechanisms) or ()}
    if RecoveryOptionNameType.admin_only in names:
        raise NotAuthorizedException("Contact administrator to reset password.")


def get_recovery_attribute(pool: Pool, user: User) -> str:
    """Return the attribute that a recovery code goes to (spec/api/03 §7.1); raises InvalidParameterException."""
    setting = pool.settings.account_recovery_setting
    options = sorted((setting and setting.recovery_mechanisms) or (), key=lambda option: option.priority)
    # Without a setting, as pools had it before there was one: the telephone, else the e-mail address.
    order = [RECOVERY_ATTRIBUTES.get(option.name) for option in options] or ["phone_number", "email"]
    # spec/api/03 §7.1: what a second factor goes to is no way to recover the first; pools without a setting allow it.
    asked = {*user.factors.active, *due_factors(pool, user)} if options else set()
    taken = {MESSAGED[factor] for factor in asked if factor in MESSAGED}
    for name in order:
        if (
            name
            and name not in taken
            and user.attributes.get(name)
            and user.attributes.get(f"{name}_verified") == "true"
        ):
            return name
    raise InvalidParameterException(
        "Cannot reset password for the user as there is no registered/verified email or phone_number"
    )
