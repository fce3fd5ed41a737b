"""The HTTP server's protocol, with a limit that it lacks and without work that this server has no use for.

Parsing, pipelining, back-pressure and draining are uvicorn's. Here a request has no access log, no upgrade and one
timer for each connection instead of one for each request; an answer leaves in one piece, its head checked as a whole
(docs/decisions/0009-http-protocol.md has the figures).
"""

import asyncio
import fcntl
import struct
import termios
from asyncio import TimerHandle
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

# An access token of 64 KiB and its neighbours fit. One read of the socket may come on top.
HEAD_LIMIT = 128 * 1024
# A client that keeps an idle connection does not read, so it does not answer TLS's farewell (RFC 8446 §6.1) either.
FAREWELL_SECONDS = 1

# What no header may hold (RFC 9110 §5.5); the ends of its lines are counted.
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\r\n"})
_NAME_LETTERS = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
# The names of headers that were sent so far, and are good; they are the program's own, so there are few.
_good_names: set[bytes] = set()


class Exchange(RequestResponseCycle):
    """A request and its answer. The head of the answer waits for the first of its body, and leaves together with it."""

    _head = b""

    async def send(self, message: Any) -> None:
        """Take an event of the application (ASGI); raises RuntimeError for one out of order or with bad headers."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            _expect(message, "http.response.start")
            self._head = self._write_head(message["status"], message.get("headers", ()))
            self.response_started, self.waiting_for_100_continue = True, False
            return
        if self.response_complete:
            raise RuntimeError(f"The answer is complete; there can be no {message['type']}.")
        _expect(message, "http.response.body")
        self._send_body(message.get("body", b""), more=message.get("more_body", False))

    def _write_head(self, status: int, headers: Any) -> bytes:
        fields = [*self.default_headers, *headers]
        for name, value in fields:
            if name not in _good_names:
                _check_name(name)
            if name == b"content-length":
                self.expected_content_length, self.chunked_encoding = int(value), False
            elif name == b"connection" and b"close" in value.lower():
                self.keep_alive = False
        if not self.keep_alive:
            fields.append((b"connection", b"close"))
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in {204, 304}:
            self.chunked_encoding = True
            fields.append((b"transfer-encoding", b"chunked"))
        head = STATUS_LINE[status] + b"".join([b"%b: %b\r\n" % field for field in fields]) + b"\r\n"
        _check_head(head, len(fields) + 2)
        return head

    def _send_body(self, body: bytes, *, more: bool) -> None:
        out, self._head = self._head, b""
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
        elif self.chunked_encoding:
            out += b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            out += b"" if more else b"0\r\n\r\n"
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("The body is longer than its Content-Length says.")
            out += body
        self.transport.write(out)
        if more:
            return
        if self.expected_content_length:
            raise RuntimeError("The body is shorter than its Content-Length says.")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _expect(message: Any, kind: str) -> None:
    if message["type"] != kind:
        raise RuntimeError(f"There must be {kind} now, not {message['type']}.")


def _check_name(name: bytes) -> None:
    if not name or not _NAME_LETTERS.issuperset(name):
        raise RuntimeError("The name of a header of the answer is not one in lower case (RFC 9110 §5.6.2).")
    _good_names.add(name)


def _check_head(head: bytes, lines: int) -> None:
    """Check that no value ends its line or the head: that there are as many lines as there should be."""
    if not head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == lines:
        raise RuntimeError("A header of the answer holds the end of a line.")
    if head.translate(None, _CONTROLS) != head:
        raise RuntimeError("A header of the answer holds a control character.")


class Http(HttpToolsProtocol):
    """Ends a connection whose request line and headers go on and on: they would be kept in memory, all of them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._head = 0
        # When the last answer went out and nothing has come since.
        self._idle_since: float | None = None
        self._watch: TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take what the socket gave; a head that was unfinished before and still is counts all of it."""
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > HEAD_LIMIT:
                self.send_400_response("The head of the request is too large.")

    def shutdown(self) -> None:
        """End the connection, after the answer that is under way; a server that stops awaits no farewell of TLS."""
        super().shutdown()
        if self.transport.is_closing() and self.transport.get_extra_info("ssl_object") is not None:
            self._part_later()

    def _part_later(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self.loop.call_later(FAREWELL_SECONDS, self._part)

    def _part(self) -> None:
        # A slow client still gets the rest of its answer. What uvloop keeps between TLS and the socket does not show,
        # but while there is anything the kernel has something left to send.
        if self.transport.get_write_buffer_size() or _unsent(self.transport.get_extra_info("socket")):
            self._part_later()
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer together with the connection."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def on_message_begin(self) -> None:
        """Note where a head begins."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note where a head ends, and begin to answer, or queue the request behind the one before (pipelining)."""
        self._in_head = False
        version, scope = self.parser.get_http_version(), self.scope
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["http_version"], scope["method"] = version, self.parser.get_method().decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"], scope["query_string"] = url.path, url.query or b""
        before = self.cycle
        self.cycle = Exchange(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_response_complete(self) -> None:
        """Go on with the next request in the queue, or note that the connection is idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._watch is None:
            self._watch = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _unset_keepalive_if_required(self) -> None:
        """Note that the connection is not idle; the timer finds out by itself."""
        self._idle_since = None

    def _look(self) -> None:
        """Close the connection if it has been idle for long enough, else look again when it may have been."""
        self._watch = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._watch = self.loop.call_later(left, self._look)


def _unsent(connection: Any) -> int:
    """Return how many bytes the kernel holds that the other side has not acknowledged (tcp(7), SIOCOUTQ)."""
    number: int
    (number,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
    return number
