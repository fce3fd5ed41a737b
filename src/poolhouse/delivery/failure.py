"""What goes wrong between us and those who deliver."""


class BadSetting(Exception):
    """A setting of a sender cannot be used; the text is for the operator."""


class NotDelivered(Exception):
    """A message did not arrive; the text is for the operator and quotes nothing of it.

    ``for_good`` says that another try would be in vain: the service refused the address, say.
    """

    def __init__(self, reason: str, *, for_good: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good
