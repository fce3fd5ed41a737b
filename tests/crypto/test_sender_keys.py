"""Codes for custom senders: the stock SDK reads them, under raw keys and under a KMS; nothing leaves without a key."""

import asyncio
import base64
import logging
from collections.abc import Iterator

import boto3
import pytest
from aws_encryption_sdk import EncryptionSDKClient
from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from cryptography.exceptions import InvalidTag

from poolhouse.crypto.sender_keys import BadSenderKeys, NotEncrypted, SenderKeys
from tests.kms import KEY_ARN, KeyService

POOL = "us-east-1_AbCdEfGhI"
KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyService]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    service = KeyService()
    yield service
    service.close()


def encrypt(keys: SenderKeys, secret: str = "123456", key_id: str = KEY_ARN) -> str:
    try:
        return asyncio.run(keys.encrypt(secret, key_id=key_id, pool_id=POOL))
    finally:
        keys.close()


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def raw(key: bytes, name: str = KEY_ARN) -> RawMasterKey:
    wrapping = WrappingKey(WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING, key, EncryptionKeyType.SYMMETRIC)
    return RawMasterKey(provider_id="poolhouse", key_id=name.encode(), wrapping_key=wrapping)


def decrypt(sealed: str, master_key: RawMasterKey | KMSMasterKey) -> tuple[str, dict[str, str]]:
    """What a handler with the SDK of its default policy reads, which takes messages with key commitment only."""
    plain, header = EncryptionSDKClient().decrypt(source=base64.b64decode(sealed), key_provider=master_key)
    return plain.decode(), header.encryption_context


def test_a_raw_key_encrypts_for_the_stock_sdk():
    """A raw AES keyring named after the pool's KMSKeyID decrypts, and finds the pool's id as Cognito's handlers do."""
    sealed = encrypt(SenderKeys({"*": text(KEY)}), "Pässword&lt;1")

    plain, context = decrypt(sealed, raw(KEY))
    assert plain == "Pässword&lt;1"
    assert context["userpool-id"] == POOL
    assert base64.b64decode(sealed)[:3] == b"\x02\x05\x78"  # version 2, with key commitment and a signature
    with pytest.raises(InvalidTag):
        decrypt(sealed, raw(OTHER))


def test_the_first_pattern_that_fits_counts():
    """Patterns are tried in their order, and stand for the whole ARN."""
    settings = {"arn:aws:kms:eu-*": text(OTHER), KEY_ARN: text(KEY), "*": text(OTHER)}

    assert decrypt(encrypt(SenderKeys(settings)), raw(KEY))[0] == "123456"
    other = KEY_ARN + "c"
    assert decrypt(encrypt(SenderKeys(settings), key_id=other), raw(OTHER, other))[0] == "123456"


def test_without_a_key_nothing_is_encrypted():
    """No key, no code: the operator learns which one is missing."""
    for settings in ({}, {"arn:aws:kms:eu-*": text(KEY)}):
        with pytest.raises(NotEncrypted, match=f"POOLHOUSE_SENDER_KEYS holds no key for {KEY_ARN}"):
            encrypt(SenderKeys(settings))


def test_a_kms_makes_the_data_key(kms: KeyService):
    """With `kms` the key stays in the service, which sees the pool's id; handlers decrypt through it."""
    sealed = encrypt(SenderKeys({"*": "kms"}, kms.url))

    client = boto3.client("kms", region_name="us-east-1", endpoint_url=kms.url)
    assert decrypt(sealed, KMSMasterKey(key_id=KEY_ARN, client=client))[0] == "123456"
    assert [context["userpool-id"] for context in kms.contexts] == [POOL]


def test_a_kms_that_refuses_or_is_away_is_told_of(kms: KeyService, caplog: pytest.LogCaptureFixture):
    """The reason is the service's own; the secret is in no text."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NotEncrypted, match=r"Key .* does not exist") as refused:
        encrypt(SenderKeys({"*": "kms"}, kms.url), "sEcReT", KEY_ARN + "c")
    url = kms.url
    kms.close()
    with pytest.raises(NotEncrypted, match="Could not connect") as away:
        encrypt(SenderKeys({"*": "kms"}, url), "sEcReT")

    assert "sEcReT" not in f"{refused.value} {away.value} {caplog.text}"


@pytest.mark.parametrize("meaning", ["", "KMS", "c2hvcnQ=", "k" * 44, text(KEY) + "!"])
def test_a_key_that_is_none_is_refused(meaning: str):
    """A setting that could not be used is refused at start, and not quoted."""
    with pytest.raises(BadSenderKeys, match="maps ARNs to kms or 32 bytes to the base 64") as refusal:
        SenderKeys({"*": meaning})
    assert not meaning or meaning not in str(refusal.value).replace("kms", "")


@pytest.mark.parametrize("url", ["kms.example.org", "ftp://x", "http://", "http://[x"])
def test_an_address_that_is_none_is_refused(url: str):
    """POOLHOUSE_KMS_URL is an http(s) URL."""
    with pytest.raises(BadSenderKeys, match="POOLHOUSE_KMS_URL must look like"):
        SenderKeys({}, url)
