"""The HTTP server's protocol, driven over real sockets with applications that are made to misbehave."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time

import pytest
import uvicorn

from poolhouse.cli.http import FAREWELL_SECONDS
from poolhouse.cli.listening import server_config
from poolhouse.settings import Settings
from tests.conftest import free_port


class Serving:
    """The server around one ASGI application."""

    def __init__(self, app, *, settings=None, **options):
        self.port = free_port()
        config = server_config(Settings(port=self.port, **(settings or {})), app, lifespan="off", **options)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._server.serve())

    def __enter__(self):
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.stop()
        self._thread.join(20)

    def stop(self):
        self._server.should_exit = True

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return contextlib.closing(connection)

    def talk(self, request, until=None):
        """Send bytes; return all that comes back until the connection ends, or until ``until`` has come."""
        with self.connect() as connection:
            connection.sendall(request)
            return receive(connection, until)


def receive(connection, until=None):
    answer = b""
    with contextlib.suppress(ConnectionError):
        while until is None or until not in answer:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    return answer


def application(start, *bodies):
    """An application that sends exactly these events."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", **start})
        for number, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    return app


async def echo(scope, receive, send):
    """Answer with the method, the path and the body."""
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event.get("body", b""), event.get("more_body", False)
    text = f"{scope['method']} {scope['path']} ".encode() + body
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"location", b"/\r\nset-cookie: a=b"),
        (b"location", b"/\nset-cookie: a=b"),
        (b"location", b"/\rset-cookie: a=b"),
        (b"location", b"/\r\n\r\n<script>"),
        (b"location", b"/\0"),
        (b"location", b"/\x7f"),
        (b"x-a: b\r\nset-cookie", b"c"),
        (b"X-Upper", b"c"),
        (b"x a", b"c"),
        (b"", b"c"),
    ],
)
def test_headers_that_would_split_the_answer(name, value):
    """RFC 9110 §5.5: a header with the end of a line or a control character never goes out."""
    app = application({"status": 200, "headers": [(b"content-length", b"2"), (name, value)]}, b"ok")
    with Serving(app) as serving:
        answer = serving.talk(CLOSE)
    assert b"set-cookie" not in answer.lower()
    assert not answer.startswith(b"HTTP/1.1 200")


def test_headers_with_spaces_and_tabs():
    """RFC 9110 §5.5: what a value may hold does go out."""
    value = "a b\tc é".encode("latin-1")
    app = application({"status": 200, "headers": [(b"content-length", b"2"), (b"x-a", value)]}, b"ok")
    with Serving(app) as serving:
        answer = serving.talk(CLOSE)
    assert b"\r\nx-a: " + value + b"\r\n" in answer
    assert answer.endswith(b"\r\n\r\nok")


@pytest.mark.parametrize("bodies", [(b"four",), (b"o",), (b"o", b"four")])
def test_bodies_of_another_length_than_told(bodies):
    """RFC 9110 §8.6: a body that is not as long as Content-Length says ends the connection, not the next answer."""
    app = application({"status": 200, "headers": [(b"content-length", b"2")]}, *bodies)
    with Serving(app) as serving:
        answer = serving.talk(GET + GET)
    assert answer.count(b"HTTP/1.1 200") <= 1


def test_answers_in_parts():
    """RFC 9112 §7.1: an answer without a length goes out in chunks, each when it is there."""
    with Serving(application({"status": 200}, b"one", b"", b"two")) as serving:
        answer = serving.talk(CLOSE)
    assert b"\r\ntransfer-encoding: chunked\r\n" in answer
    assert answer.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_answers_without_a_body():
    """RFC 9110 §9.3.2, §15.4.5: HEAD and 304 have no body, whatever the application sends."""
    head = CLOSE.replace(b"GET", b"HEAD")
    with Serving(application({"status": 200, "headers": [(b"content-length", b"2")]}, b"ok")) as serving:
        answer = serving.talk(head)
    assert b"\r\ncontent-length: 2\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")
    with Serving(application({"status": 304}, b"")) as serving:
        answer = serving.talk(CLOSE)
    assert answer.startswith(b"HTTP/1.1 304 ")
    assert answer.endswith(b"\r\n\r\n")


def test_requests_one_after_the_other_and_ahead_of_their_answers():
    """RFC 9112 §9.3.2: pipelined requests are answered in their order, on one connection."""
    posts = [b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" % number for number in range(20)]
    with Serving(echo) as serving:
        answer = serving.talk(b"".join(posts), until=b"POST /19 ab")
    places = [answer.index(b"POST /%d ab" % number) for number in range(20)]
    assert places == sorted(places)


def test_a_body_that_waits_to_be_asked_for():
    """RFC 9110 §10.1.1: ``Expect: 100-continue`` is answered when the application reads the body."""
    with Serving(echo) as serving, serving.connect() as connection:
        connection.sendall(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert receive(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        assert receive(connection, b"POST /a hi").startswith(b"HTTP/1.1 200 ")


def test_a_body_in_pieces_and_a_path_in_escapes():
    """A body may come in any number of pieces; the path is decoded once."""
    with Serving(echo) as serving, serving.connect() as connection:
        connection.sendall(b"POST /a%2520b%C3%A9 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
        for piece in (b"a", b"b", b"cd"):
            time.sleep(0.02)
            connection.sendall(piece)
        assert receive(connection, b"abcd").endswith("POST /a%20bé abcd".encode())


def test_connections_are_kept_for_longer_than_clients_keep_them():
    """Proxies and SDKs keep idle connections for a minute; what they send on one must not meet its end."""
    assert server_config(Settings(), echo).timeout_keep_alive > 60


def test_idle_connections_end_and_busy_ones_do_not():
    """A connection that is idle for the keep-alive time is closed; one that is used meanwhile lives on."""
    with Serving(echo, timeout_keep_alive=1) as serving, serving.connect() as connection:
        began = time.monotonic()
        for _ in range(4):
            connection.sendall(GET)
            assert receive(connection, b"GET / ").startswith(b"HTTP/1.1 200 ")
            time.sleep(0.4)
        assert time.monotonic() - began > 1.5
        idle_since = time.monotonic() - 0.4
        assert connection.recv(1) == b""
        assert 0.8 < time.monotonic() - idle_since < 3


def test_version_1_0():
    """RFC 9112 §9.3: a client of HTTP/1.0 gets its answer and the end of the connection."""
    with Serving(echo) as serving:
        answer = serving.talk(b"GET /old HTTP/1.0\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"GET /old ")


@pytest.mark.parametrize("events", [["http.response.body"], ["http.response.start", "http.response.start"], []])
def test_applications_out_of_order(events):
    """ASGI: an application that sends the wrong event, or none, gives 500 or nothing; the server goes on."""

    async def app(scope, receive, send):
        for kind in events if scope["path"] == "/" else []:
            await send({"type": kind, "status": 200, "body": b""})
        if scope["path"] != "/":
            await echo(scope, receive, send)

    with Serving(app) as serving:
        answer = serving.talk(CLOSE)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 500 ")
        assert serving.talk(CLOSE.replace(b"GET /", b"GET /on")).endswith(b"GET /on ")


def test_a_slow_client_of_tls_gets_all_of_its_answer_from_a_server_that_stops(certificate):
    """A connection is ended without TLS's farewell only once there is nothing left to send on it."""
    cert, key = certificate
    told = bytes(20_000_000)
    context = ssl.create_default_context(cafile=cert)
    headers = [(b"content-length", str(len(told)).encode())]
    app = application({"status": 200, "headers": headers}, told)
    with Serving(app, settings={"tls_cert": cert, "tls_key": key}) as serving:
        with serving.connect() as plain, context.wrap_socket(plain, server_hostname="localhost") as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            answer = slow.recv(1)
            serving.stop()
            time.sleep(FAREWELL_SECONDS * 1.2)
            answer += receive(slow)
        assert len(answer.partition(b"\r\n\r\n")[2]) == len(told)
