"""The command ``poolhouse``. Commands import late, so that ``--help`` answers at once."""

import sys

from cyclopts import App

from poolhouse import __version__
from poolhouse.cli import access, database, messages, serve
from poolhouse.cli.opened import CommandError

app = App(
    name="poolhouse",
    help="An open, self-hosted user-identity server that speaks the Amazon Cognito user-pools API.",
    version=__version__,
    result_action="return_value",
)
app.command(serve.serve)
app.command(serve.check)
app.command(serve.version)
app.command(access.env)
app.command(access.credentials)
app.command(access.operators)
app.command(access.keys)
app.command(messages.outbox)
app.command(database.migrate)
app.command(database.backup)
app.command(database.restore)


def main() -> None:
    """Run a command; an error is one clear sentence on standard error, and exit code 1."""
    try:
        app()
    except CommandError as error:
        sys.exit(f"poolhouse: {error}")
    except BrokenPipeError:
        sys.exit(141)
