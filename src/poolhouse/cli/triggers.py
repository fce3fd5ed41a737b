"""Trying the functions of triggers, and telling where they run."""

import logging
import pathlib
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from poolhouse.cli.opened import HERE, AsJson, CommandError, Where, print_json, run, settings_of

if TYPE_CHECKING:
    from poolhouse.core.pool import Pool
    from poolhouse.flows.calls import Deps
    from poolhouse.flows.functions import Configured

triggers = App(
    name="triggers", help="Functions of Lambda triggers. Example: poolhouse triggers test PreSignUp_SignUp --arn …"
)
NOTHING = "nothing"


@triggers.command(name="list")
def list_functions(*, json: AsJson = False, where: Where = HERE) -> None:
    """List the functions that user pools name, and where each runs by the settings.

    Example: poolhouse triggers list
    """

    async def work(deps: "Deps") -> "list[tuple[Configured, str]]":
        from poolhouse.flows.functions import list_configured

        return [(found, runner_of(deps, found.arn)) for found in await list_configured(deps)]

    listed = run(settings_of(where), work)
    if json:
        print_json(
            [
                {
                    "user_pool_id": one.pool_id,
                    "region": one.region,
                    "trigger": one.trigger,
                    "arn": one.arn,
                    "runs": runs,
                }
                for one, runs in listed
            ]
        )
        return
    for one, runs in listed:
        print(f"{one.pool_id}  {one.region}  {one.trigger}  {one.arn}\n    {runs}")


@triggers.command(name="test")
def try_function(
    source: Annotated[str, Parameter(help="The trigger source, such as PreSignUp_SignUp.")],
    *,
    user_pool_id: Annotated[str | None, Parameter(help="The user pool whose function to invoke.")] = None,
    arn: Annotated[str | None, Parameter(help="The function to invoke, whether a pool names it or not.")] = None,
    event: Annotated[pathlib.Path | None, Parameter(help="A JSON file to send in the place of a sample.")] = None,
    json: AsJson = False,
    where: Where = HERE,
) -> None:
    """Send an event to a function as a user pool would, and print its response, how long it took, or its error.

    Example: poolhouse triggers test PreSignUp_SignUp --user-pool-id us-east-1_AbCdEfGhI
    """
    from poolhouse.core.sample_events import SOURCES

    if source not in SOURCES:
        raise CommandError(f"there is no trigger source {source}; there are {', '.join(SOURCES)}")
    if (user_pool_id is None) == (arn is None):
        raise CommandError("give either --user-pool-id or --arn")
    given = _read_event(event) if event else None
    # What the function prints, and why it could not be run.
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("poolhouse.triggers").setLevel(logging.INFO)

    async def work(deps: "Deps") -> dict[str, Any]:
        function, sample = await _sample(deps, source, user_pool_id, arn)
        return await _invoke(deps, source, function, given or sample)

    report = run(settings_of(where), work)
    if json:
        print_json(report)
        sys.exit(1 if report["error"] else 0)
    if report["error"]:
        raise CommandError(f"{report['error']['type']}: {report['error']['message']} ({report['milliseconds']} ms)")
    print(f"{report['runs']} answered after {report['milliseconds']} ms")
    print_json(report["response"])


def runner_of(deps: "Deps", arn: str) -> str:
    """Return where the function of an ARN runs."""
    routes = deps.triggers.routes
    return str((routes and routes.find(arn)) or NOTHING)


def _read_event(path: pathlib.Path) -> dict[str, Any]:
    from msgspec import DecodeError
    from msgspec.json import decode

    try:
        found = decode(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except (DecodeError, UnicodeError):
        found = None
    if not isinstance(found, dict):
        raise CommandError(f"{path} holds no JSON object")
    return found


async def _sample(deps: "Deps", source: str, user_pool_id: str | None, arn: str | None) -> tuple[str, dict[str, Any]]:
    """Return the function that is meant, and an event for it."""
    from poolhouse.core.sample_events import CLIENT_ID, POOL_ID, USERNAME, sample_request, sample_secret
    from poolhouse.core.trigger_events import fill_event, find_function, make_event, trigger_of

    request, who = sample_request(source), {"username": USERNAME, "client_id": CLIENT_ID}
    if user_pool_id is None:
        region = deps.identity.region
        return arn or "", fill_event(source, request, version="1", region=region, pool_id=POOL_ID, **who)
    pool = await deps.store.read(lambda tx: tx.pools.find(user_pool_id))
    if pool is None or pool.builtin:
        raise CommandError(f"user pool {user_pool_id} does not exist")
    named = find_function(pool.settings.lambda_config, trigger_of(source))
    if named is None:
        raise CommandError(f"user pool {user_pool_id} names no function for {trigger_of(source)}")
    secret = sample_secret(source)
    if secret is not None:
        request |= {"code": await _encrypt(deps, pool, secret)}
    return named, make_event(pool, source, request, **who)


async def _encrypt(deps: "Deps", pool: "Pool", secret: str) -> str:
    """Return what the pool's sender would get for a code."""
    from poolhouse.crypto.sender_keys import NotEncrypted

    configured = pool.settings.lambda_config
    key_id = (configured and configured.kms_key_id) or ""
    try:
        return await deps.sender_keys.encrypt(secret, key_id=key_id, pool_id=pool.id)
    except NotEncrypted as error:
        raise CommandError(str(error)) from None


async def _invoke(deps: "Deps", source: str, arn: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return what became of an event."""
    from poolhouse.core.trigger_events import response_of, trigger_of
    from poolhouse.model import ServiceError

    trigger, response, error = trigger_of(source), None, None
    began = time.monotonic()
    try:
        if trigger.endswith("Sender"):
            await deps.triggers.notify(trigger, arn, event)
        else:
            response = response_of(await deps.triggers.invoke(trigger, arn, event))
    except ServiceError as refusal:
        error = {"type": refusal.code, "message": refusal.message}
    return {
        "source": source,
        "arn": arn,
        "runs": runner_of(deps, arn),
        "milliseconds": round((time.monotonic() - began) * 1000),
        "response": response,
        "error": error,
    }
