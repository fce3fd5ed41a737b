"""What goes wrong between us and those who deliver."""

from poolhouse.model import CodeDeliveryFailureException


class BadSetting(Exception):
    """A setting of a sender cannot be used; the text is for the operator."""


def undelivered() -> CodeDeliveryFailureException:
    """Return the refusal that the caller sees; the reason is in the log."""
    return CodeDeliveryFailureException("The code could not be delivered.")
