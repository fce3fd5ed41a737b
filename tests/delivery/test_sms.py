"""Text messages through a real HTTP gateway on loopback."""

import asyncio
import base64
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec.structs import replace

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery import Courier
from poolhouse.delivery.failure import BadSetting, NotDelivered
from poolhouse.delivery.sms import Answer, SmsSender, read_sms_url
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
NOWHERE = Envelope()


@dataclass
class Gateway:
    """What the gateway was sent, and what it answers."""

    port: int = 0
    status: int = 200
    delay: float = 0
    answer: bytes = b""
    cookie: str = ""
    hangs_up: bool = False
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A real HTTP server in a thread."""
    state = Gateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            state.connections.add(self.client_address)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(state.delay)
            self.send_response(state.status)
            if state.status == 302:
                self.send_header("Location", "/elsewhere")
            if state.cookie:
                self.send_header("Set-Cookie", state.cookie)
            if state.hangs_up:
                self.send_header("Connection", "close")
            self.send_header("Content-Length", str(len(state.answer)))
            self.end_headers()
            self.wfile.write(state.answer)

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
        sender = SmsSender(read_sms_url(url, int), **changes)
        courier = Courier(keep, now=int, sms_url=url)
        try:
            await (sender.send(message, NOWHERE) if changes else courier.deliver(message))
        finally:
            await sender.close()
            await courier.close()

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


def test_a_connection_serves_many_messages(gateway: Gateway):
    """One message after the other takes the same connection, also after an error; one that was let go costs a new one."""

    async def work() -> None:
        sender = SmsSender(read_sms_url(f"http://127.0.0.1:{gateway.port}/", int))
        gateway.cookie = "session=ann; Path=/"
        for gateway.status in (200, 500, 200):
            with contextlib.suppress(NotDelivered):
                await sender.send(MESSAGE, NOWHERE)
        assert len(gateway.connections) == 1
        # What the gateway sets with one message does not come back with another.
        assert not any("cookie" in headers for _, headers, _ in gateway.requests)
        gateway.hangs_up = True
        await sender.send(MESSAGE, NOWHERE)
        await sender.send(MESSAGE, NOWHERE)
        assert len(gateway.connections) == 2
        await sender.close()

    asyncio.run(work())
    assert len(gateway.requests) == 5


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
        await Courier(keep, now=int, sms_url=f"http://127.0.0.1:{gateway.port}/").deliver(mail)

    asyncio.run(work())
    assert (kept, gateway.requests) == ([mail], [])


BAD = [
    "", "gateway.example.org", "ftp://x.org/", "http://", "http://x:y:z/", "http://[",
    "twilio://AC1:token@?from=+1&messaging_service=MG1", "twilio://AC1:token@", "twilio://@?from=+1", "twilio://[?from=1",
    "vonage://key:secret@", "vonage://key:secret@?from=A&form=B", "vonage://key:secret@?from=A&endpoint=x",
    "sns://key:secret@", "sns://us-east-1", "sns://key:secret@x/", "sns://key:secret@us-east-1?session_token=",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_bad_urls_are_told(url: str):
    """A URL that cannot be posted to is refused at the start, and its password is not quoted."""
    with pytest.raises(BadSetting, match="POOLHOUSE_SMS_URL") as refusal:
        read_sms_url(url, int)
    assert "secret" not in str(refusal.value)


def form_of(request: tuple[str, dict[str, str], bytes]) -> dict[str, str]:
    assert request[1]["content-type"].startswith("application/x-www-form-urlencoded")
    return dict(parse_qsl(request[2].decode(), strict_parsing=True))


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("from=+15550001", {"From": "+15550001"}),
        ("messaging_service=MG1", {"MessagingServiceSid": "MG1"}),
    ],
)
def test_twilio(gateway: Gateway, sender: str, expected: dict[str, str]):
    """A form under the account's path, with basic authentication; 400 is for good, 429 and 401 are not.

    The code of its errors is told, which says much more than the status does.
    """
    url = f"twilio://AC1:t%40ken@?{sender}&endpoint=http://127.0.0.1:{gateway.port}"
    gateway.status = 201
    send(url)
    path, headers, _ = gateway.requests[0]
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert headers["authorization"] == "Basic " + base64.b64encode(b"AC1:t@ken").decode()
    assert form_of(gateway.requests[0]) == {"To": MESSAGE.to, "Body": MESSAGE.body} | expected
    assert [final(url, status=status) for status in (400, 401, 429, 503)] == [True, False, False, False]
    gateway.status, gateway.answer = 400, b'{"code": 21608, "message": "+15551239934 is unverified", "status": 400}'
    with pytest.raises(NotDelivered, match=r"answered with status 400, code 21608$"):
        asyncio.run(SmsSender(read_sms_url(url, int)).send(MESSAGE, NOWHERE))


def final(url: str, *, status: int = 200, answer: bytes = b"") -> bool:
    """Whether the gateway's answer is a failure for good; one it must be."""
    with pytest.raises(NotDelivered) as failure:
        read_sms_url(url, int).check(Answer(status, answer))
    assert "123456" not in str(failure.value)
    return failure.value.for_good


def test_vonage(gateway: Gateway):
    """Numbers without a plus, Unicode where it must be, and the status of each part counts, not that of HTTP."""
    url = f"vonage://key:s%3Dcret@?from=Shop%20A&endpoint=http://127.0.0.1:{gateway.port}"
    gateway.answer = b'{"message-count":"2","messages":[{"status":"0"},{"status":"0"}]}'
    send(url)
    send(url, replace(MESSAGE, body="Votre code für [Größe]: 123456. €"))
    assert gateway.requests[0][0] == "/sms/json"
    assert form_of(gateway.requests[0]) == {
        "api_key": "key",
        "api_secret": "s=cret",
        "from": "Shop A",
        "to": MESSAGE.to[1:],
        "text": MESSAGE.body,
        "type": "unicode",
    }
    assert form_of(gateway.requests[1])["type"] == "text"
    part = b'{"messages":[{"status":"0"},{"status":"%d","error-text":"+15551239934 123456"}]}'
    passing, lasting = (1, 2, 4, 5, 8, 9, 10, 11, 15), (3, 6, 7, 12, 29, 33)
    assert not any(final(url, answer=part % status) for status in passing)
    assert all(final(url, answer=part % status) for status in lasting)
    for nonsense in (b"", b"[]", b"{}", b'{"messages":[]}', b'{"messages":[5]}', b"[" * 50_000, b"x" * 200_000):
        assert not final(url, answer=nonsense)


def test_sns(gateway: Gateway):
    """Publish as the AWS SDK writes and signs it, for the pool's Region where it names one."""
    url = f"sns://AKID:s%2Fcret@us-east-1?sender_id=Shop&endpoint=http://127.0.0.1:{gateway.port}"
    now = 1_770_000_000_000

    async def publish(envelope: Envelope) -> None:
        await SmsSender(read_sms_url(url, lambda: now)).send(MESSAGE, envelope)

    for envelope, region in ((NOWHERE, "us-east-1"), (Envelope(sms_region="eu-west-1"), "eu-west-1")):
        asyncio.run(publish(envelope))
        assert gateway.requests[-1][0] == "/"
        assert "x-amz-security-token" not in gateway.requests[-1][1]
        assert is_signed(gateway.requests[-1], region)
    gateway.answer = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
    named = {"SMSType": "Transactional", "SenderID": "Shop"}
    attributes = {f"AWS.SNS.SMS.{name}": {"DataType": "String", "StringValue": value} for name, value in named.items()}
    endpoint = f"http://127.0.0.1:{gateway.port}"
    login = {"aws_access_key_id": "AKID", "aws_secret_access_key": "s/cret", "region_name": "us-east-1"}
    sdk = boto3.client("sns", endpoint_url=endpoint, **login)
    sdk.publish(PhoneNumber=MESSAGE.to, Message=MESSAGE.body, MessageAttributes=attributes)
    assert form_of(gateway.requests[0]) == form_of(gateway.requests[-1])
    error = b"<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code></Error></ErrorResponse>"
    lasting = (b"InvalidParameter", b"ParameterValueInvalid", b"ValidationException")
    assert all(final(url, status=400, answer=error % code) for code in lasting)
    for code in (b"Throttling", b"AuthorizationError"):
        assert not final(url, status=400, answer=error % code)
    assert not final(url, status=400)


def is_signed(request: tuple[str, dict[str, str], bytes], region: str) -> bool:
    """Whether the AWS SDK would have signed a request to SNS in the same way."""
    _, headers, body = request
    signed = {name: headers[name] for name in ("content-type", "x-amz-security-token") if name in headers}
    made = AWSRequest("POST", f"http://{headers['host']}/", signed | {"X-Amz-Date": headers["x-amz-date"]}, body)
    made.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKID", "s/cret"), "sns", region)
    text = signer.string_to_sign(made, signer.canonical_request(made))
    return headers["authorization"].endswith(f"Signature={signer.signature(text, made)}")


def test_sns_with_a_temporary_access_key(gateway: Gateway):
    """Its session token goes along, signed."""
    token = "IQoJb3JpZ2luX2VjEH+a/b=="
    url = (
        f"sns://AKID:s%2Fcret@us-east-1?session_token={quote(token, safe='')}&endpoint=http://127.0.0.1:{gateway.port}"
    )
    asyncio.run(SmsSender(read_sms_url(url, lambda: 1_770_000_000_000)).send(MESSAGE, NOWHERE))
    assert gateway.requests[0][1]["x-amz-security-token"] == token
    assert is_signed(gateway.requests[0], "us-east-1")
    assert "session_token" not in gateway.requests[0][2].decode()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "sns.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "sns.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "sns.cn-north-1.amazonaws.com.cn"),
        ("cn-northwest-1", "sns.cn-northwest-1.amazonaws.com.cn"),
    ],
)
def test_where_sns_is(region: str, host: str):
    """Regions in China have a domain of their own, also where it is the pool that names one."""
    for url, envelope in (
        (f"sns://AKID:secret@{region}", NOWHERE),
        ("sns://AKID:secret@us-east-1", Envelope(sms_region=region)),
    ):
        posting = read_sms_url(url, int).write(MESSAGE, envelope)
        assert posting.url == f"https://{host}/"
        assert posting.headers["host"] == host
