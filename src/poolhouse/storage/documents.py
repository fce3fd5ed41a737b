"""JSON documents in columns: one encoder, decoders prepared once, unreadable ones reported by their place."""

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
