"""Commands that tell how things are."""

import platform
from typing import TYPE_CHECKING

from poolhouse import __version__
from poolhouse.cli.opened import HERE, AsJson, CommandError, Where, print_json, run, settings_of
from poolhouse.cli.triggers import NOTHING, runner_of

if TYPE_CHECKING:
    from poolhouse.flows.calls import Deps


def check(*, where: Where = HERE) -> None:
    """Check the settings, open the database and the keys, try the seed, import functions in Python, and report.

    It changes nothing and sends nothing.

    Example: poolhouse check
    """
    settings = settings_of(where)

    async def work(deps: "Deps") -> tuple[str, int, list[str], str]:
        from poolhouse.flows.seeds.application import read_plan, rehearse

        absent = await rehearse(deps, read_plan(settings.seed))
        pools = await deps.store.read(lambda tx: tx.pools.count(settings.region))
        return deps.identity.public_url, pools, absent, await _check_functions(deps)

    url, pools, absent, functions = run(settings, work)
    print(f"settings    ok ({url})")
    print(f"database    ok ({settings.database.partition(':')[0]}, {pools} user pools in {settings.region})")
    print("master key  ok")
    if settings.seed is not None:
        print(f"seed        ok (a start will make {len(absent)} things)")
    print(f"mail        {'SMTP' if settings.smtp_url else 'outbox: nothing is sent'}")
    print(f"SMS         {'gateway' if settings.sms_url else 'outbox: nothing is sent'}")
    if settings.smtp_url or settings.sms_url:
        print("            poolhouse messages test ADDRESS sends a message")
    print(f"functions   {functions}")


async def _check_functions(deps: "Deps") -> str:
    """Return how the functions are that pools name; raises CommandError for one of the settings that cannot run."""
    from poolhouse.flows.functions import list_configured
    from poolhouse.triggers.failure import BadMapping

    try:
        for runner in deps.triggers.routes.runners if deps.triggers.routes else ():
            await runner.check()
    except BadMapping as error:
        raise CommandError(str(error)) from None
    named = {found.arn for found in await list_configured(deps)}
    lost = sum(runner_of(deps, arn) == NOTHING for arn in named)
    if lost:
        return f"{lost} of {len(named)} that pools name run nowhere: poolhouse triggers list"
    return f"ok (pools name {len(named)})"


def version(*, json: AsJson = False, where: Where = HERE) -> None:
    """Print the versions of Poolhouse, Python and the database engine.

    Example: poolhouse version --json
    """
    from poolhouse.storage.engine_version import engine_version
    from poolhouse.storage.errors import StorageError

    database = settings_of(where).database
    try:
        engine = engine_version(database)
    except StorageError:
        engine = "PostgreSQL (does not answer)"
    versions = {"poolhouse": __version__, "python": platform.python_version(), "database": engine}
    if json:
        print_json(versions)
    else:
        print(f"Poolhouse {versions['poolhouse']}, Python {versions['python']}, {engine}")
