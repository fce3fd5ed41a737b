"""Authenticated encryption under the master key: everything secret at rest or handed out sealed."""

import hmac
import os
from collections import OrderedDict

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_LENGTH = 32
SALT_LENGTH = 16
NONCE_LENGTH = 12
TAG_LENGTH = 16
VERSION = b"\x01"
# So many opened values are kept for ``open_often``.
KEPT = 1024
# How much longer a sealed value is than its content.
OVERHEAD = len(VERSION) + SALT_LENGTH + NONCE_LENGTH + TAG_LENGTH


class SealBroken(Exception):
    """A sealed value was not made by this installation for this purpose and context."""


class Sealer:
    """Seals values with AES-256-GCM; each purpose has its own key, derived by HKDF (RFC 5869).

    Each message is encrypted under a key of its own, derived from the purpose's key and a random salt,
    because random 96-bit nonces under one key are safe for 2^32 messages only (NIST SP 800-38D §8.3).
    """

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_LENGTH:
            raise ValueError(f"The master key has {len(master_key)} bytes; it needs {MASTER_KEY_LENGTH}.")
        self._master_key = master_key
        self._keys: dict[str, bytes] = {}
        self._opened: OrderedDict[tuple[str, bytes, bytes], bytes] = OrderedDict()

    def seal(self, purpose: str, plain: bytes, context: bytes = b"") -> bytes:
        """Encrypt ``plain``. ``context`` is authenticated, not stored: opening needs the same."""
        salt, nonce = os.urandom(SALT_LENGTH), os.urandom(NONCE_LENGTH)
        return VERSION + salt + nonce + self.cipher(purpose, salt).encrypt(nonce, plain, context)

    def open(self, purpose: str, sealed: bytes, context: bytes = b"") -> bytes:
        """Decrypt what ``seal`` made for the same purpose and context; raises SealBroken."""
        if len(sealed) < OVERHEAD or not sealed.startswith(VERSION):
            raise SealBroken("not a sealed value")
        salt, nonce, body = sealed[1:17], sealed[17:29], sealed[29:]
        try:
            return self.cipher(purpose, salt).decrypt(nonce, body, context)
        except InvalidTag:
            raise SealBroken("sealed for another purpose, or altered") from None

    def open_often(self, purpose: str, sealed: bytes, context: bytes = b"") -> bytes:
        """Decrypt what nearly every request needs; the results used last are kept in memory, as the master key is."""
        key = (purpose, sealed, context)
        opened = self._opened.get(key)
        if opened is None:
            opened = self._opened[key] = self.open(purpose, sealed, context)
            if len(self._opened) > KEPT:
                self._opened.popitem(last=False)
        else:
            self._opened.move_to_end(key)
        return opened

    def digest(self, purpose: str, *parts: str) -> bytes:
        """Return a keyed digest of ``parts`` (HMAC-SHA256, 32 bytes), which nobody outside can work out again."""
        mac = hmac.new(self._key(f"digest {purpose}"), digestmod="sha256")
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            mac.update(len(data).to_bytes(8, "big"))
            mac.update(data)
        return mac.digest()

    def cipher(self, purpose: str, salt: bytes) -> AESGCM:
        """Return the cipher of one message, for formats that lay out their parts themselves."""
        return AESGCM(hmac.digest(self._key(f"seal {purpose}"), salt, "sha256"))

    def _key(self, info: str) -> bytes:
        key = self._keys.get(info)
        if key is None:
            derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"poolhouse {info}".encode())
            key = self._keys[info] = derivation.derive(self._master_key)
        return key
