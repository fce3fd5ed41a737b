"""Commands about who may come in: API credentials, console operators, signing keys."""

import json
import shlex
from typing import Literal

from cyclopts import App

from poolhouse.cli.opened import CommandError, run, settings_of
from poolhouse.flows import installation
from poolhouse.flows import operators as console_operators
from poolhouse.flows.calls import Deps
from poolhouse.storage import Tx

credentials = App(name="credentials", help="Access keys of the JSON API.")
operators = App(name="operators", help="Operators of the web console.")
keys = App(name="keys", help="Signing keys.")


def env(*, format: Literal["shell", "dotenv", "json"] = "shell", config: str | None = None) -> None:
    """Print what makes the AWS CLI and every SDK talk to this installation.

    Example: eval "$(poolhouse env)" && aws cognito-idp list-user-pools --max-results 10

    Parameters
    ----------
    format
        shell: export lines; dotenv: NAME=value lines; json: an object.
    config
        The TOML file of settings.

    """
    settings = settings_of(config)
    root = run(settings, installation.find_root_key)
    if root is None:
        raise CommandError("there is no root access key; see 'poolhouse credentials'")
    values = {
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": settings.base_url,
        "AWS_ACCESS_KEY_ID": root[0],
        "AWS_SECRET_ACCESS_KEY": root[1],
        "AWS_DEFAULT_REGION": settings.region,
    }
    if format == "json":
        print(json.dumps(values, indent=2))
        return
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}" if format == "shell" else f"{name}={value}")


@credentials.command(name="list")
def list_credentials(*, config: str | None = None) -> None:
    """List the access keys, without their secrets. Example: poolhouse credentials list"""

    async def work(deps: Deps) -> list[tuple[str, str]]:
        rows = await deps.store.read(lambda tx: tx.access_keys.list())
        return [(key.id, key.name) for key in rows]

    for key_id, name in run(settings_of(config), work):
        print(f"{key_id}  {name}")


@credentials.command
def create(name: str, *, config: str | None = None) -> None:
    """Make an access key and print its secret, this once. Example: poolhouse credentials create ci"""

    async def work(deps: Deps) -> tuple[str, str]:
        return await installation.make_access_key(deps, name)

    key_id, secret = run(settings_of(config), work)
    print(f"AWS_ACCESS_KEY_ID={key_id}\nAWS_SECRET_ACCESS_KEY={secret}")


@credentials.command
def delete(access_key_id: str, *, config: str | None = None) -> None:
    """Delete an access key; it is refused from now on. Example: poolhouse credentials delete AKPH…"""

    async def work(deps: Deps) -> bool:
        return await deps.store.write(lambda tx: tx.access_keys.delete(access_key_id))

    if not run(settings_of(config), work):
        raise CommandError(f"there is no access key {access_key_id}")


@operators.command(name="list")
def list_operators(*, config: str | None = None) -> None:
    """List the console's operators. Example: poolhouse operators list"""
    for email in run(settings_of(config), console_operators.list_operators):
        print(email)


@operators.command
def invite(*, config: str | None = None) -> None:
    """Print a one-time link with which an operator sets up an account. Example: poolhouse operators invite"""
    print(run(settings_of(config), console_operators.invite))


@operators.command
def remove(email: str, *, config: str | None = None) -> None:
    """Remove an operator; the account's sessions end. Example: poolhouse operators remove ann@example.org"""

    async def work(deps: Deps) -> bool:
        return await console_operators.remove(deps, email)

    if not run(settings_of(config), work):
        raise CommandError(f"there is no operator {email}")


@keys.command(name="list")
def list_keys(user_pool_id: str, *, config: str | None = None) -> None:
    """List the signing keys of a user pool. Example: poolhouse keys list us-east-1_AbCdEfGhI"""

    async def work(deps: Deps) -> list[tuple[str, str, str]]:
        def read_keys(tx: Tx) -> list[tuple[str, str, str]]:
            if tx.catalogue.find_pool(user_pool_id) is None:
                return []
            found = tx.catalogue.signing_keys(user_pool_id)
            return [(key.kid, key.use, key.state) for key in (found.id, found.access, *found.retired)]

        return await deps.store.read(read_keys)

    rows = run(settings_of(config), work)
    if not rows:
        raise CommandError(f"user pool {user_pool_id} does not exist")
    for kid, use, state in rows:
        print(f"{kid}  {use:6}  {state}")
