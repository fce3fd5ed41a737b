"""What a user who is not there looks like: always the same for the same name, and not to be worked out from outside."""

from uuid import UUID

from poolhouse.core.aliases import fold_username, has_alias_form
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Call
from poolhouse.flows.challenges.talk import Talk

DIGEST_PURPOSE = "srp-nobody"


def made_up(call: Call, pool: Pool, name: str, what: str) -> bytes:
    """Return something about the user of a name; ``what`` says which thing."""
    return call.deps.sealer.digest(DIGEST_PURPOSE, what, pool.id, name)


def made_up_id(call: Call, pool: Pool, name: str) -> str:
    """Return the user id of nobody."""
    return str(UUID(bytes=made_up(call, pool, name, "user")[:16], version=4))


def shown_name(talk: Talk) -> str:
    """Return the user name to show: what an alias would be answered with is made up where it is nobody's."""
    hidden = talk.user is None and has_alias_form(talk.pool, talk.name)
    return made_up_id(talk.call, talk.pool, talk.name) if hidden else talk.name


def is_called(call: Call, pool: Pool, name: str, given: str) -> bool:
    """Whether nobody of a name may be called by another one: by the same, or by the id that challenges have shown."""
    return fold_username(pool, given) == name or given == made_up_id(call, pool, name)
