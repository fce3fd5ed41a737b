"""What a user who is not there looks like: always the same for the same name, and not to be worked out from outside."""

from uuid import UUID

from poolhouse.core.aliases import has_alias_form
from poolhouse.flows.challenges.talk import Talk

DIGEST_PURPOSE = "srp-nobody"


def made_up(talk: Talk, what: str) -> bytes:
    """Return something about the user of this name; ``what`` says which thing."""
    return talk.call.deps.sealer.digest(DIGEST_PURPOSE, what, talk.pool.id, talk.name)


def made_up_id(talk: Talk) -> str:
    """Return the user id of nobody."""
    return str(UUID(bytes=made_up(talk, "user")[:16], version=4))


def shown_name(talk: Talk) -> str:
    """Return the user name to show: what an alias would be answered with is made up where it is nobody's."""
    return made_up_id(talk) if talk.user is None and has_alias_form(talk.pool, talk.name) else talk.name
