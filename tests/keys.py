"""RSA keys for tests: real ones of full size, but only two of them."""

import contextlib
import itertools
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa

from poolhouse.crypto import keyring


@contextlib.contextmanager
def reuse_rsa_keys() -> Iterator[None]:
    """Let the key ring take its RSA keys from a pair made once; key ids stay unique."""
    original = keyring.generate_private_key
    pair = itertools.cycle([rsa.generate_private_key(65537, 2048) for _ in range(2)])
    keyring.generate_private_key = lambda *_costs, **_named: next(pair)
    try:
        yield
    finally:
        keyring.generate_private_key = original
