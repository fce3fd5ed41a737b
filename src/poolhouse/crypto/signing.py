"""Making RSA signatures: one by one, or those that one turn of the event loop asks for together."""

import asyncio
import logging
import threading
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from poolhouse.crypto.multi_buffer import LANES, Key, MultiBuffer

_logger = logging.getLogger(__name__)
_PADDING = PKCS1v15()
_SHA256 = SHA256()
# Eight lanes take as long as four and a half signatures of OpenSSL's, however few of them are in use.
WORTH = 5


class Signer(NamedTuple):
    """A private key, for OpenSSL and, where that is in use, for the multi-buffer library."""

    private: RSAPrivateKey
    lanes: Key | None


class _Waiting(NamedTuple):
    signer: Signer
    message: bytes
    answer: "asyncio.Future[bytes]"


class Signing:
    """Signs with RS256, on the event loop: a thread costs more than it gains (design/PERFORMANCE §3)."""

    def __init__(self, multi_buffer: MultiBuffer | None) -> None:
        self._multi_buffer = multi_buffer
        # What waits for the next turn, of each event loop by itself.
        self._local = threading.local()

    def prepare(self, private: RSAPrivateKey) -> Signer:
        """Return a key ready to sign with."""
        return Signer(private, None if self._multi_buffer is None else Key(private))

    async def sign(self, signer: Signer, message: bytes) -> bytes:
        """Return the signature of a message (RFC 7518 §3.3)."""
        if self._multi_buffer is None:
            return _sign_alone(signer, message)
        loop = asyncio.get_running_loop()
        waiting: list[_Waiting] = self._local.__dict__.setdefault("waiting", [])
        if not waiting:
            loop.call_soon(self._sign_some, waiting, loop)
        answer: asyncio.Future[bytes] = loop.create_future()
        waiting.append(_Waiting(signer, message, answer))
        return await answer

    def _sign_some(self, waiting: list[_Waiting], loop: asyncio.AbstractEventLoop) -> None:
        """Sign what waits, a full set of lanes at most: in between, the loop may see to other things."""
        taken, waiting[:] = waiting[:LANES], waiting[LANES:]
        if waiting:
            loop.call_soon(self._sign_some, waiting, loop)
        for each, signature in zip(taken, self._sign_together(taken), strict=True):
            if not each.answer.done():  # else its caller has gone
                each.answer.set_result(_sign_alone(each.signer, each.message) if signature is None else signature)

    def _sign_together(self, taken: list[_Waiting]) -> list[bytes | None]:
        work = [(each.signer.lanes, each.message) for each in taken if each.signer.lanes is not None]
        if self._multi_buffer is None or len(work) < max(WORTH, len(taken)):
            return [None] * len(taken)
        signatures = self._multi_buffer.sign(work)
        if None in signatures:
            _logger.error("A batch of signatures had faults; they were made again one by one.")
        return signatures


def _sign_alone(signer: Signer, message: bytes) -> bytes:
    return signer.private.sign(message, _PADDING, _SHA256)
