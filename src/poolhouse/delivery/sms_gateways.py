"""The gateways for text messages that are known: JSON over HTTP, Twilio, Vonage, and Amazon SNS or what speaks like it."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import unquote, urlencode, urlsplit

import httpx
from msgspec import Struct

from poolhouse.core.aws_signature import Credentials, domain_of, sign
from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery.failure import BadSetting, NotDelivered
from poolhouse.delivery.sms import Answer, Gateway, Posting, check_status

FORM = "application/x-www-form-urlencoded; charset=utf-8"
NAME = "POOLHOUSE_SMS_URL"
# The default alphabet of text messages (3GPP TS 23.038 §6.2.1), and its extension table.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)
_CODE = re.compile(rb"<Code>(\w{1,100})</Code>")
_TWILIO_CODE = re.compile(rb'"code"\s*:\s*(\d{5})\b')


class Json:
    """A gateway of one's own: gets ``{"to": "+15551239934", "body": "…"}`` as JSON and answers any 2xx.

    A name and password in the URL become HTTP basic authentication.
    """

    def __init__(self, url: str, _: Callable[[], int]) -> None:
        try:
            urlsplit(url)
            address = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise BadSetting(f"{NAME} is not a URL.") from None
        if not address.host:
            raise BadSetting(f"{NAME} must look like https://host/path.")
        # httpx logs the address of every request, so the password must not be part of it.
        self._url = str(address.copy_with(username=None, password=None))
        self._headers = {"content-type": "application/json"}
        if address.username:
            self._headers["authorization"] = _basic(address.username, address.password)

    def write(self, message: Message, _: Envelope) -> Posting:
        """Return what to post."""
        document = {"to": message.to, "body": message.body}
        return Posting(url=self._url, content=json.dumps(document, ensure_ascii=False).encode(), headers=self._headers)

    def check(self, answer: Answer) -> None:
        """Check that the message was taken; raises NotDelivered."""
        check_status(answer)


class Twilio:
    """``twilio://ACCOUNT_SID:AUTH_TOKEN@?from=+15550001`` or ``?messaging_service=MG…`` in the place of ``from``."""

    def __init__(self, url: str, _: Callable[[], int]) -> None:
        login = _read(url, "https://api.twilio.com", {"from", "messaging_service"})
        if ("from" in login.options) == ("messaging_service" in login.options):
            raise BadSetting(f"{NAME}: Twilio needs either from or messaging_service.")
        self._url = f"{login.endpoint}/2010-04-01/Accounts/{login.user}/Messages.json"
        self._headers = {"content-type": FORM, "authorization": _basic(login.user, login.password)}
        if "from" in login.options:
            self._sender = {"From": login.options["from"]}
        else:
            self._sender = {"MessagingServiceSid": login.options["messaging_service"]}

    def write(self, message: Message, _: Envelope) -> Posting:
        """Return what to post."""
        form = {"To": message.to, "Body": message.body} | self._sender
        return Posting(url=self._url, content=urlencode(form).encode(), headers=self._headers)

    def check(self, answer: Answer) -> None:
        """Check that the message was taken; raises NotDelivered, with Twilio's code: 21608, say, is a trial account's."""
        code = _TWILIO_CODE.search(answer.content)
        check_status(answer, f", code {code[1].decode()}" if code else "")


class Vonage:
    """``vonage://KEY:SECRET@?from=Name``. Every answer is 200; what became of the message is in its ``status``."""

    # Invalid parameters, an invalid message, a barred number, a message that is too long, a number that a trial account
    # may not write to, and one that is not in use any more.
    _FINAL = frozenset({"3", "6", "7", "12", "29", "33"})

    def __init__(self, url: str, _: Callable[[], int]) -> None:
        login = _read(url, "https://rest.nexmo.com", {"from"})
        if "from" not in login.options:
            raise BadSetting(f"{NAME}: Vonage needs from, a number or a name.")
        self._url = f"{login.endpoint}/sms/json"
        self._form = {"api_key": login.user, "api_secret": login.password, "from": login.options["from"].lstrip("+")}

    def write(self, message: Message, _: Envelope) -> Posting:
        """Return what to post."""
        kind = "text" if set(message.body) <= _GSM else "unicode"
        form = self._form | {"to": message.to.lstrip("+"), "text": message.body, "type": kind}
        return Posting(url=self._url, content=urlencode(form).encode(), headers={"content-type": FORM})

    def check(self, answer: Answer) -> None:
        """Check that each part of the message was taken; raises NotDelivered."""
        check_status(answer)
        try:
            statuses = [str(part["status"]) for part in json.loads(answer.content)["messages"]]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise NotDelivered("answered without a status") from None
        failed = next((status for status in statuses or ["none"] if status != "0"), None)
        if failed is not None:
            raise NotDelivered(f"answered with message status {failed[:10]!a}", for_good=failed in self._FINAL)


class Sns:
    """``sns://KEY:SECRET@region?sender_id=Name&endpoint=…``: Publish of Amazon SNS, or of what speaks like it.

    A pool's SnsRegion takes the place of the region. ``session_token`` is the one of a temporary access key.
    """

    # Those that Publish declares, and those that any action may answer.
    _FINAL = frozenset(
        {"InvalidParameter", "ParameterValueInvalid", "ValidationException", "InvalidParameterValue", "ValidationError"}
    )

    def __init__(self, url: str, now: Callable[[], int]) -> None:
        login = _read(url, None, {"sender_id", "session_token"})
        self._region, self._endpoint, self._now = login.host, login.endpoint, now
        if not re.fullmatch(r"[a-z0-9-]{5,32}", self._region):
            raise BadSetting(f"{NAME}: SNS needs a region, as in sns://KEY:SECRET@us-east-1.")
        self._credentials = Credentials(login.user, login.password, login.options.get("session_token"))
        self._attributes = {"SMSType": "Transactional"}
        if "sender_id" in login.options:
            self._attributes["SenderID"] = login.options["sender_id"]

    def write(self, message: Message, envelope: Envelope) -> Posting:
        """Return what to post, signed."""
        region = envelope.sms_region or self._region
        endpoint = self._endpoint or f"https://sns.{region}.{domain_of(region)}"
        form = {"Action": "Publish", "Version": "2010-03-31", "PhoneNumber": message.to, "Message": message.body}
        for number, (name, value) in enumerate(self._attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            form |= {f"{entry}.Name": f"AWS.SNS.SMS.{name}", f"{entry}.Value.DataType": "String"}
            form[f"{entry}.Value.StringValue"] = value
        content = urlencode(form).encode()
        address = urlsplit(endpoint)
        headers = sign(
            f"{address.path}/",
            {"host": address.netloc, "content-type": FORM},
            content,
            credentials=self._credentials,
            region=region,
            service="sns",
            now=self._now(),
        )
        return Posting(url=f"{endpoint}/", content=content, headers=headers)

    def check(self, answer: Answer) -> None:
        """Check that the message was taken; raises NotDelivered."""
        if answer.status // 100 == 2:
            return
        code = _CODE.search(answer.content)
        said = code[1].decode() if code else "no code"
        raise NotDelivered(f"answered with status {answer.status}, {said}", for_good=said in self._FINAL)


GATEWAYS: dict[str, Callable[[str, Callable[[], int]], Gateway]] = {
    "https": Json,
    "http": Json,
    "twilio": Twilio,
    "vonage": Vonage,
    "sns": Sns,
}


class _Login(Struct, frozen=True, kw_only=True):
    """What the URL of a provider says. ``endpoint`` has no final slash."""

    user: str
    password: str
    host: str
    endpoint: str
    options: dict[str, str]


def _read(url: str, endpoint: str | None, known: set[str]) -> _Login:
    """Read a provider's URL, without the usual meaning of ``+``: it stands in numbers; raises BadSetting."""
    known = known | {"endpoint"}
    try:
        parts = urlsplit(url)
        options = dict(pair.split("=", 1) for pair in parts.query.split("&") if pair)
        host = parts.hostname or ""
        other = urlsplit(unquote(options.get("endpoint", "")))
    except ValueError:
        raise BadSetting(f"{NAME} is not a URL.") from None
    if not all(options.values()):
        raise BadSetting(f"{NAME}: an option has no value.")
    if not options.keys() <= known:
        raise BadSetting(f"{NAME}: {parts.scheme}:// knows the options {', '.join(sorted(known))} only.")
    if not parts.username or not parts.password:
        raise BadSetting(f"{NAME} must look like {parts.scheme}://user:password@…, a / in it written as %2F.")
    if "endpoint" in options and (other.scheme not in {"http", "https"} or not other.hostname):
        raise BadSetting(f"{NAME}: endpoint must look like https://host.")
    return _Login(
        user=unquote(parts.username),
        password=unquote(parts.password),
        host=host,
        endpoint=(other.geturl() if "endpoint" in options else endpoint or "").rstrip("/"),
        options={name: unquote(value) for name, value in options.items()},
    )


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
