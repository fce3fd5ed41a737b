"""JSON documents in columns: one encoder, decoders prepared once, unreadable ones reported by their place."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from poolhouse.storage.errors import CorruptRow, StorageError

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


def encode(document: object) -> str:
    """Return a document as JSON text."""
    return _encode(document).decode()


class Column(Generic[T]):
    """A column that holds documents of one type."""

    def __init__(self, table: str, name: str, type: type[T]) -> None:
        self._table, self._name = table, name
        self._decode = msgspec.json.Decoder(type).decode
        self._decode_all = msgspec.json.Decoder(list[type]).decode  # type: ignore[valid-type]

    def encode(self, document: T) -> str:
        """Return a document of the API's shapes as JSON text.

        These have constraints that only decoding checks: raises StorageError for one that could not be read back.
        """
        text = encode(document)
        try:
            self._decode(text)
        except msgspec.MsgspecError as error:
            raise StorageError(f"This {self._table}.{self._name} could not be read back: {error}") from None
        return text

    def decode(self, text: str, key: object) -> T:
        """Return the document in the row ``key``; raises CorruptRow."""
        try:
            return self._decode(text)
        except (msgspec.MsgspecError, UnicodeError):
            raise CorruptRow(self._table, self._name, key) from None

    def decode_all(self, texts: Sequence[str], keys: Sequence[object]) -> list[T]:
        """Return the documents in the rows ``keys``, read as one: a call for each costs more; raises CorruptRow."""
        try:
            documents = self._decode_all(f"[{','.join(texts)}]")
        except (msgspec.MsgspecError, UnicodeError):
            documents = []
        if len(documents) == len(texts):
            return documents
        return [self.decode(text, key) for text, key in zip(texts, keys, strict=True)]
