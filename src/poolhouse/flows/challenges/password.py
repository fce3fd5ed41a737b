"""PASSWORD: the password in clear, as USER_PASSWORD_AUTH and ADMIN_USER_PASSWORD_AUTH bring it along."""

import asyncio
from collections.abc import Mapping

from msgspec.structs import replace

from poolhouse.core.user import Credentials, User
from poolhouse.flows.challenges.identity import check_admitted, prove, refuse
from poolhouse.flows.challenges.talk import Proved, Question, Talk, Write, required
from poolhouse.flows.passwords import add_verifier
from poolhouse.flows.users import save_user
from poolhouse.storage import Tx

# Longer than checking any hash that an import takes over (core/password_hashes.py).
EVEN_SECONDS = 1.5


async def ask(_talk: Talk, _given: Mapping[str, str]) -> Question:
    """Show nothing: a password needs no hint."""
    return Question({})


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check a password against its hash; an unknown user costs the same work."""
    password = required(answer, "PASSWORD")
    began = asyncio.get_running_loop().time()
    admitted = await check_admitted(talk)
    user = talk.user if admitted else None
    hashed = user.credentials.password_hash if user else None
    if not await talk.call.deps.passwords.verify(hashed, password) or user is None:
        await _even_out(talk, began)
        await refuse(talk)
    renewed = await _renew(talk, user, password)
    if renewed is None:
        return prove(talk, user)
    return prove(talk, replace(user, credentials=renewed), _keeping(talk, user, renewed))


async def _even_out(talk: Talk, began: float) -> None:
    """Let a refusal take equally long where users were imported with hashes, each of which takes a time of its own."""
    if await talk.call.store.read(lambda tx: tx.catalogue.hashes_imported(talk.pool.id)):
        await asyncio.sleep(began + EVEN_SECONDS - asyncio.get_running_loop().time())


async def _renew(talk: Talk, user: User, password: str) -> Credentials | None:
    """Return better credentials for the same password: today's hash, and a verifier where clients use SRP, only there."""
    call, credentials = talk.call, user.credentials
    renewed = credentials
    if credentials.password_hash and call.deps.passwords.needs_rehash(credentials.password_hash):
        renewed = replace(renewed, password_hash=await call.deps.passwords.hash(password))
    wanted, there = await call.store.read(lambda tx: tx.catalogue.srp_allowed(talk.pool.id)), credentials.srp_verifier
    if wanted and there is None:
        renewed = await add_verifier(call, talk.pool, user.username, password, renewed)
    elif there is not None and not wanted:
        renewed = replace(renewed, srp_salt=None, srp_verifier=None)
    return renewed if renewed is not credentials else None


def _keeping(talk: Talk, user: User, renewed: Credentials) -> Write:
    def keep(tx: Tx) -> None:
        stored = tx.users.find_by_id(user.id)
        # A password that was changed meanwhile is not overwritten.
        if stored is not None and stored.credentials == user.credentials:
            save_user(tx, talk.pool, replace(stored, credentials=renewed))

    return keep
