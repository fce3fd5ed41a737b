"""The command ``poolhouse``. Commands import late, so that ``--help`` answers at once."""

import gc
import os
import sys

# What a command imports stays: to look through it for garbage again and again takes a tenth of the time of its start.
gc.set_threshold(50_000)

from cyclopts import App, CycloptsError  # noqa: E402

from poolhouse import __version__  # noqa: E402
from poolhouse.cli import access, database, imports, messages, report, seeds, serve, triggers  # noqa: E402
from poolhouse.cli.opened import CommandError  # noqa: E402

app = App(
    name="poolhouse",
    help="An open, self-hosted user-identity server that speaks the Amazon Cognito user-pools API.\n\n"
    "Example: poolhouse serve",
    version=__version__,
    result_action="return_value",
)
app.command(serve.serve)
app.command(report.check)
app.command(report.version)
app.command(access.env)
app.command(access.credentials)
app.command(access.operators)
app.command(access.keys)
app.command(messages.outbox)
app.command(messages.messages)
app.command(imports.imports)
app.command(triggers.triggers)
app.command(seeds.seed)
app.command(database.migrate)
app.command(database.backup)
app.command(database.restore)


def main() -> None:
    """Run a command; an error is one clear sentence on standard error, and exit code 1."""
    # Whichever command makes the database: what is in it and beside it is nobody else's business.
    os.umask(0o077)
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except (CommandError, CycloptsError) as error:
        sys.exit(f"poolhouse: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read has gone; the interpreter must not try again to write what is left.
        sys.stdout = None
        sys.exit(141)
