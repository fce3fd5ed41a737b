"""Reading the logs of user import jobs."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from poolhouse.cli.opened import HERE, CommandError, Where, run, settings_of

if TYPE_CHECKING:
    from poolhouse.core.import_jobs import ImportJob, LogEntry
    from poolhouse.flows.calls import Deps

imports = App(name="imports", help="User import jobs. Example: poolhouse imports log import-AbCdEfGhIj")

# Documents of the log read at a time, each of a batch of rows.
PAGE = 100


@imports.command
def log(
    job_id: Annotated[str, Parameter(help="The job's id, as CreateUserImportJob gave it.")],
    *,
    problems: Annotated[bool, Parameter(negative="", help="Only rows that were skipped or failed.")] = False,
    where: Where = HERE,
) -> None:
    """Print what became of each row of a user import job, by line of its file; the header is line 1.

    Example: poolhouse imports log import-AbCdEfGhIj --problems
    """
    from poolhouse.core.import_jobs import Outcome, log_lines

    async def work(deps: "Deps") -> None:
        job = await deps.store.read(lambda tx: tx.user_imports.find(job_id))
        if job is None:
            raise CommandError(f"there is no user import job {job_id}")
        async for entry in _entries(deps, job):
            if not problems or entry.outcome != Outcome.SUCCEEDED:
                for line in log_lines(entry):
                    print(line)

    run(settings_of(where), work)


async def _entries(deps: "Deps", job: "ImportJob") -> "AsyncIterator[LogEntry]":
    after = 0
    while documents := await deps.store.read(
        lambda tx, after=after: tx.user_imports.log(job, after=after, limit=PAGE)  # type: ignore[misc]
    ):
        for document in documents:
            for entry in document:
                yield entry
        after = documents[-1][0].first
