"""Commands about seeds: files of pools with fixed ids and secrets."""

import os
import pathlib
import stat
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from poolhouse.cli.opened import HERE, CommandError, Where, run, settings_of

if TYPE_CHECKING:
    from poolhouse.core.seed import Seed
    from poolhouse.flows.calls import Deps

# A file that a shell leads the output into is as secret as one that we make.
STANDARD_OUTPUT = 1

seed = App(
    name="seed",
    help="Files of pools, clients and users with fixed ids. Example: poolhouse seed export --output seed.json",
)


@seed.command
def export(
    user_pool_ids: Annotated[
        list[str] | None, Parameter(negative="", help="The user pools; all of them where none is named.")
    ] = None,
    *,
    output: Annotated[
        pathlib.Path | None, Parameter(help="The file to write; it must not exist. Default: standard output.")
    ] = None,
    signing_keys: Annotated[
        bool, Parameter(negative="", help="With the private signing keys, so that tokens verify across installations.")
    ] = False,
    where: Where = HERE,
) -> None:
    """Write a seed of user pools: it makes an empty database answer to the same ids, secrets and passwords.

    It holds secrets in plain: client secrets, password hashes, what proves passwords by SRP, secrets of authenticator apps.

    Example: poolhouse seed export us-east-1_AbCdEfGhI --output seed.json
    """
    from poolhouse.core.seed import dump_seed
    from poolhouse.flows.seeds.export import export as export_pools

    if output is not None and output.exists():
        raise CommandError(f"{output} exists; choose another name")

    async def work(deps: "Deps") -> "Seed":
        return await export_pools(deps, user_pool_ids or (), signing_keys=signing_keys)

    text = dump_seed(run(settings_of(where), work))
    if output is None:
        _keep_private(STANDARD_OUTPUT)
        print(text, end="")
    else:
        _write(output, text)
    told = "The output" if output is None else str(output)
    print(f"poolhouse: {told} holds secrets: keep it as you would keep the database and its key", file=sys.stderr)


@seed.command
def apply(file: Annotated[pathlib.Path, Parameter(help="A seed, in JSON or TOML.")], *, where: Where = HERE) -> None:
    """Make what a seed names and the database lacks; what is there stays as it is. The server may be running.

    Example: poolhouse seed apply seed.json
    """
    from poolhouse.flows.seeds import application

    async def work(deps: "Deps") -> list[str]:
        return await application.apply(deps, application.read_plan(str(file)))

    made = run(settings_of(where), work)
    for place in made:
        print(f"Made {place}.")
    if not made:
        print("Everything was there already.")


def _keep_private(descriptor: int) -> None:
    """Close a file to others; leave a terminal and a pipe as they are."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)


def _write(path: pathlib.Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
