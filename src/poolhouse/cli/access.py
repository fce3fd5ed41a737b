"""Commands about who may come in: API credentials, console operators, signing keys."""

import shlex
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from poolhouse.cli.opened import HERE, AsJson, CommandError, Where, print_json, run, settings_of

if TYPE_CHECKING:
    from poolhouse.core.access_key import AccessKey
    from poolhouse.core.signing_key import SigningKey
    from poolhouse.flows.calls import Deps
    from poolhouse.storage import Tx

credentials = App(name="credentials", help="Access keys of the JSON API. Example: poolhouse credentials list")
operators = App(name="operators", help="Operators of the web console. Example: poolhouse operators invite")
keys = App(name="keys", help="Signing keys. Example: poolhouse keys list us-east-1_AbCdEfGhI")


def env(
    *,
    format: Annotated[
        Literal["shell", "dotenv", "json"],
        Parameter(help="shell: export lines; dotenv: NAME=value lines; json: an object."),
    ] = "shell",
    where: Where = HERE,
) -> None:
    """Print what makes the AWS CLI and every SDK talk to this installation.

    Example: eval "$(poolhouse env)" && aws cognito-idp list-user-pools --max-results 10
    """
    from poolhouse.flows import installation

    async def work(deps: "Deps") -> dict[str, str]:
        root = await installation.find_root_key(deps)
        if root is None:
            raise CommandError("there is no root access key; start the server once, and it makes one")
        return {
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": deps.identity.public_url,
            "AWS_ACCESS_KEY_ID": root[0],
            "AWS_SECRET_ACCESS_KEY": root[1],
            "AWS_DEFAULT_REGION": deps.identity.region,
        }

    values = run(settings_of(where), work)
    if format == "json":
        print_json(values)
        return
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}" if format == "shell" else f"{name}={value}")


@credentials.command(name="list")
def list_credentials(*, json: AsJson = False, where: Where = HERE) -> None:
    """List the access keys, oldest first, without their secrets.

    Example: poolhouse credentials list
    """

    async def work(deps: "Deps") -> "list[AccessKey]":
        found = await deps.store.read(lambda tx: tx.access_keys.list())
        return sorted(found, key=lambda key: (key.created_at, key.id))

    found = run(settings_of(where), work)
    if json:
        print_json([{"id": key.id, "name": key.name, "created_at": key.created_at} for key in found])
        return
    for key in found:
        print(f"{key.id}  {key.name}")


@credentials.command
def create(
    name: Annotated[str, Parameter(help="What the key is for.")], *, json: AsJson = False, where: Where = HERE
) -> None:
    """Make an access key and print its secret, this once.

    Example: poolhouse credentials create ci
    """
    from poolhouse.flows import installation

    if name == installation.ROOT:
        raise CommandError(f"{name} is the name of the first key; choose another")

    async def work(deps: "Deps") -> tuple[str, str]:
        return await installation.make_access_key(deps, name)

    key_id, secret = run(settings_of(where), work)
    if json:
        print_json({"id": key_id, "name": name, "secret": secret})
    else:
        print(f"AWS_ACCESS_KEY_ID={key_id}\nAWS_SECRET_ACCESS_KEY={secret}")


@credentials.command
def delete(
    access_key_id: Annotated[str, Parameter(help="The key's id, as 'list' shows it.")], *, where: Where = HERE
) -> None:
    """Delete an access key; it is refused from now on.

    Example: poolhouse credentials delete AKPHABCDEFGHIJKLMNOP
    """

    async def work(deps: "Deps") -> bool:
        return await deps.store.write(lambda tx: tx.access_keys.delete(access_key_id))

    if not run(settings_of(where), work):
        raise CommandError(f"there is no access key {access_key_id}")


@operators.command(name="list")
def list_operators(*, json: AsJson = False, where: Where = HERE) -> None:
    """List the console's operators.

    Example: poolhouse operators list
    """
    from poolhouse.flows.operators import list_operators as list_all

    emails = run(settings_of(where), list_all)
    if json:
        print_json([{"email": email} for email in emails])
        return
    for email in emails:
        print(email)


@operators.command
def invite(*, where: Where = HERE) -> None:
    """Print a one-time link with which an operator sets up an account, good for a day.

    Example: poolhouse operators invite
    """
    from poolhouse.flows.operators import invite as make_link

    print(run(settings_of(where), make_link))


@operators.command
def remove(email: Annotated[str, Parameter(help="The operator's address.")], *, where: Where = HERE) -> None:
    """Remove an operator; the account's sessions end.

    Example: poolhouse operators remove ann@example.org
    """
    from poolhouse.flows.operators import remove as remove_operator

    async def work(deps: "Deps") -> bool:
        return await remove_operator(deps, email)

    if not run(settings_of(where), work):
        raise CommandError(f"there is no operator {email}")


@keys.command(name="list")
def list_keys(
    user_pool_id: Annotated[str, Parameter(help="The user pool.")], *, json: AsJson = False, where: Where = HERE
) -> None:
    """List the signing keys of a user pool.

    Example: poolhouse keys list us-east-1_AbCdEfGhI
    """

    async def work(deps: "Deps") -> "list[SigningKey]":
        def read_keys(tx: "Tx") -> "list[SigningKey]":
            if tx.catalogue.find_pool(user_pool_id) is None:
                raise CommandError(f"user pool {user_pool_id} does not exist")
            found = tx.catalogue.signing_keys(user_pool_id)
            return [found.id, found.access, *found.retired]

        return await deps.store.read(read_keys)

    found = run(settings_of(where), work)
    if json:
        print_json([{"kid": key.kid, "use": key.use, "state": key.state} for key in found])
        return
    for key in found:
        print(f"{key.kid}  {key.use:6}  {key.state}")
