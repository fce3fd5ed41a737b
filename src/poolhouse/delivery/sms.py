"""Text messages through an HTTP gateway: one POST, within a time limit."""

import asyncio
import ssl

import httpx
from msgspec import Struct

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery.failure import BadSetting, NotDelivered


class SmsSettings(Struct, frozen=True, kw_only=True):
    """Where text messages go."""

    url: str
    """The gateway: gets ``{"to": "+15551239934", "body": "…"}`` as JSON and answers any 2xx.
    A name and password in the URL become HTTP basic authentication."""
    timeout_seconds: float = 10.0
    """How long one message may take, waiting for a connection included."""
    connections: int = 8
    """How many messages are on their way at a time, per process."""


class SmsSender:
    """Sends text messages; raises BadSetting for a URL that is none."""

    def __init__(self, settings: SmsSettings) -> None:
        try:
            url = httpx.URL(settings.url)
        except httpx.InvalidURL:
            raise BadSetting("POOLHOUSE_SMS_URL is not a URL.") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise BadSetting("POOLHOUSE_SMS_URL must look like https://host/path.")
        # httpx logs the address of every request, so the password must not be part of it.
        self._url = url.copy_with(username=None, password=None)
        self._auth = httpx.BasicAuth(url.username, url.password) if url.username else None
        self._settings = settings
        self._tls = ssl.create_default_context()
        self._places = asyncio.Semaphore(settings.connections)

    async def send(self, message: Message, _: Envelope) -> None:
        """Hand a message to the gateway; raises NotDelivered."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_seconds), self._places:
                status = await self._post({"to": message.to, "body": message.body})
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise NotDelivered(f"{self._url.host}: {type(error).__name__}") from None
        if status // 100 != 2:
            raise NotDelivered(f"{self._url.host} answered with status {status}")

    async def close(self) -> None:
        """Do nothing: each message has a connection of its own."""

    async def _post(self, document: dict[str, str]) -> int:
        limit = self._settings.timeout_seconds
        async with httpx.AsyncClient(verify=self._tls, auth=self._auth, timeout=limit, trust_env=False) as client:
            return (await client.post(self._url, json=document)).status_code
