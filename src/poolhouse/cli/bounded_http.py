"""The HTTP server's protocol with a limit that it lacks: how long the head of a request may be."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# An access token of 64 KiB and its neighbours fit. One read of the socket may come on top.
HEAD_LIMIT = 128 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection whose request line and headers go on and on: they would be kept in memory, all of them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._head = 0

    def data_received(self, data: bytes) -> None:
        """Take what the socket gave; a head that was unfinished before and still is counts all of it."""
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > HEAD_LIMIT:
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Note where a head begins."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note where a head ends."""
        self._in_head = False
        super().on_headers_complete()
