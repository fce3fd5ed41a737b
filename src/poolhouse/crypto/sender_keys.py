"""Codes for the functions that send a pool's messages themselves, in the message format of the AWS Encryption SDK.

Differs from Cognito (custom senders): codes are encrypted under a key of the operator's, a raw AES key or one in a KMS,
with key commitment, which Cognito's lack; every version of the AWS Encryption SDK since 2.0 decrypts both.
"""

import base64
import binascii
import importlib
import logging
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from poolhouse.crypto.threads import Threads
from poolhouse.model import TooManyRequestsException

if TYPE_CHECKING:
    from aws_encryption_sdk.key_providers.base import MasterKey

NAME, URL_NAME = "POOLHOUSE_SENDER_KEYS", "POOLHOUSE_KMS_URL"
# The key namespace of raw AES keyrings; the key name is the pool's KMSKeyID.
NAMESPACE = "poolhouse"
KEY_BYTES = 32
_KMS = "kms"
_PACKAGE = "aws_encryption_sdk"
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 3, 5, 2


class BadSenderKeys(Exception):
    """A setting cannot be used; the text is for the operator and quotes no key."""


class NotEncrypted(Exception):
    """A code could not be encrypted, so it must not leave; the text is for the operator and quotes no secret."""


class SenderKeys:
    """Encrypts codes under the key that stands for a pool's KMSKeyID: that of the first pattern which fits it."""

    def __init__(self, settings: Mapping[str, str], kms_url: str | None = None) -> None:
        """Take POOLHOUSE_SENDER_KEYS and POOLHOUSE_KMS_URL; raises BadSenderKeys."""
        self._keys: list[tuple[re.Pattern[str], bytes | None]] = []
        for pattern, meaning in settings.items():
            fitting = ".*".join(map(re.escape, pattern.split("*")))
            self._keys.append((re.compile(fitting, re.DOTALL), None if meaning == _KMS else _read_key(meaning)))
        if self._keys:
            _load_package()
        self._kms_url = kms_url and _read_url(kms_url)
        self._kms_clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        # The arithmetic takes a millisecond or two; KMS may take its time.
        self._threads = Threads("sender-keys", threads=4, queue=256)

    async def encrypt(self, secret: str, *, key_id: str, pool_id: str) -> str:
        """Return a secret, encrypted for a pool, to the base 64 (spec/api/06 §10).

        The encryption context is Cognito's: the pool's id under ``userpool-id``. Raises NotEncrypted.
        """
        key = next((key for pattern, key in self._keys if pattern.fullmatch(key_id)), b"")
        if key == b"":
            raise NotEncrypted(f"{NAME} holds no key for {key_id}")
        try:
            return await self._threads.run(self._encrypt, secret, key_id, key, {"userpool-id": pool_id})
        except TooManyRequestsException:
            raise NotEncrypted("too many codes are being encrypted") from None

    def close(self) -> None:
        """End the threads."""
        self._threads.close()

    def _encrypt(self, secret: str, key_id: str, key: bytes | None, context: dict[str, str]) -> str:
        from aws_encryption_sdk import EncryptionSDKClient
        from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
        from botocore.exceptions import BotoCoreError

        try:
            master_key = self._in_kms(key_id) if key is None else _raw(key_id, key)
            sealed, _ = EncryptionSDKClient().encrypt(
                source=secret.encode(), key_provider=master_key, encryption_context=context
            )
        except (AWSEncryptionSDKClientError, BotoCoreError) as error:
            cause = error.__cause__ or error
            raise NotEncrypted(f"{key_id}: {type(cause).__name__}: {cause}") from None
        return base64.b64encode(sealed).decode()

    def _in_kms(self, key_id: str) -> "MasterKey":
        from aws_encryption_sdk.key_providers.kms import KMSMasterKey

        region = key_id.split(":")[3]
        with self._lock:
            if region not in self._kms_clients:
                self._kms_clients[region] = _kms_client(region, self._kms_url)
        return KMSMasterKey(key_id=key_id, client=self._kms_clients[region])


def _load_package() -> None:
    """Import what encrypts, at start: later it would hold up everybody for a third of a second."""
    try:
        importlib.import_module(_PACKAGE)
    except ImportError:
        raise BadSenderKeys(f"{NAME} needs the AWS Encryption SDK: pip install 'poolhouse[senders]'.") from None
    # The one would log the answers of KMS, and with them data keys; the other tracebacks where we have a line.
    logging.getLogger("botocore").setLevel(logging.INFO)
    logging.getLogger(_PACKAGE).setLevel(logging.CRITICAL)


def _raw(key_id: str, key: bytes) -> "MasterKey":
    from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
    from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
    from aws_encryption_sdk.key_providers.raw import RawMasterKey

    algorithm = WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING
    wrapping = WrappingKey(algorithm, key, EncryptionKeyType.SYMMETRIC)
    return RawMasterKey(provider_id=NAMESPACE, key_id=key_id.encode(), wrapping_key=wrapping)


def _kms_client(region: str, url: str | None) -> Any:
    """Return a client with the credentials that AWS's tools find: environment, files, the role of the machine."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _TRIES, "mode": "standard"},
    )
    return boto3.session.Session().client("kms", region_name=region or None, endpoint_url=url, config=config)


def _read_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadSenderKeys(
            f"{NAME} maps ARNs to {_KMS} or {KEY_BYTES} bytes to the base 64 (openssl rand -base64 32)."
        )
    return key


def _read_url(text: str) -> str:
    try:
        url = urlsplit(text)
        usable = url.scheme in {"http", "https"} and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadSenderKeys(f"{URL_NAME} must look like https://host or http://host:port.")
    return text
