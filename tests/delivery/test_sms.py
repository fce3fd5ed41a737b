"""Text messages through a real HTTP gateway on loopback."""

import asyncio
import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from msgspec.structs import replace

from poolhouse.core.message import Message
from poolhouse.delivery import Courier
from poolhouse.delivery.failure import BadSetting, NotDelivered
from poolhouse.delivery.sms import SmsSender, SmsSettings
from poolhouse.model import CodeDeliveryFailureException

MESSAGE = Message(
    id="5f2c1d1e-0000-4000-8000-000000000001",
    at=1_770_000_000_123,
    channel="SMS",
    to="+15551239934",
    body="Your verification code is 123456. Grüße, 密码 🔑",
    code="123456",
    template="SignUp",
    user_pool_id="us-east-1_AbCdEfGhI",
    username="ann",
)


@dataclass
class Gateway:
    """What the gateway was sent, and what it answers."""

    port: int = 0
    status: int = 200
    delay: float = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A real HTTP server in a thread."""
    state = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(state.delay)
            self.send_response(state.status)
            if state.status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def send(url: str, message: Message = MESSAGE, **changes: float) -> None:
    async def keep(message: Message) -> None:
        raise AssertionError("kept instead of sent")

    async def work() -> None:
        if changes:
            await SmsSender(SmsSettings(url=url, **changes)).send(message, None)
        else:
            await Courier(keep, sms_url=url).deliver(message)

    asyncio.run(work())


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_message_arrives(gateway: Gateway, status: int):
    """The gateway gets the number and the words as UTF-8 JSON; any 2xx is success."""
    gateway.status = status
    send(f"http://127.0.0.1:{gateway.port}/send?key=1")

    [(path, headers, body)] = gateway.requests
    assert path == "/send?key=1"
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    assert json.loads(body.decode()) == {"to": MESSAGE.to, "body": MESSAGE.body}


def test_the_url_may_hold_a_login(gateway: Gateway, caplog: pytest.LogCaptureFixture):
    """Name and password of the URL become basic authentication, and show in no log."""
    with caplog.at_level(logging.DEBUG):
        send(f"http://user:p%40ss@127.0.0.1:{gateway.port}/")

    assert gateway.requests[0][1]["authorization"] == "Basic " + base64.b64encode(b"user:p@ss").decode()
    assert "p%40ss" not in caplog.text
    assert "p@ss" not in caplog.text


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
def test_other_answers_are_failures(gateway: Gateway, status: int, caplog: pytest.LogCaptureFixture):
    """Whatever is not 2xx is a delivery failure; redirects are not followed, and the code shows in no log."""
    gateway.status = status
    with caplog.at_level(logging.DEBUG), pytest.raises(CodeDeliveryFailureException):
        send(f"http://127.0.0.1:{gateway.port}/")

    assert len(gateway.requests) == 1
    assert MESSAGE.id in caplog.text
    assert str(status) in caplog.text
    assert "123456" not in caplog.text
    assert MESSAGE.to not in caplog.text


def test_a_slow_gateway_is_a_failure_in_time(gateway: Gateway):
    """A gateway that takes its time holds nobody up for longer than the limit."""
    gateway.delay = 1
    begin = time.monotonic()
    with pytest.raises(NotDelivered):
        send(f"http://127.0.0.1:{gateway.port}/", timeout_seconds=0.2)

    assert time.monotonic() - begin < 0.9


def test_nobody_listening_is_a_failure():
    """A refused connection is a delivery failure."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(CodeDeliveryFailureException):
        send(f"http://127.0.0.1:{port}/")


def test_mail_is_none_of_its_business(gateway: Gateway):
    """With a gateway for text messages alone, mail stays in the outbox."""
    kept: list[Message] = []
    mail = replace(MESSAGE, channel="EMAIL", to="ann@example.org", subject="Hello")

    async def keep(message: Message) -> None:
        kept.append(message)

    async def work() -> None:
        await Courier(keep, sms_url=f"http://127.0.0.1:{gateway.port}/").deliver(mail)

    asyncio.run(work())
    assert (kept, gateway.requests) == ([mail], [])


@pytest.mark.parametrize("url", ["", "gateway.example.org", "ftp://x.org/", "http://", "http://x:y:z/"])
def test_bad_urls_are_told(url: str):
    """A URL that cannot be posted to is refused at the start."""
    with pytest.raises(BadSetting):
        SmsSender(SmsSettings(url=url))
