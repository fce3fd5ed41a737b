"""An HTTP collector of logs: takes batches by POST, as lines of JSON."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx

from poolhouse.delivery.failure import BadSetting
from poolhouse.delivery.logs import NAME, Undelivered, block

# How long a batch may take.
SECONDS = 20.0
NDJSON = "application/x-ndjson"


class HttpCollector:
    """A service that takes batches by POST and answers any 2xx once it has them."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        """Take an address, in which name and password become HTTP basic authentication; raises BadSetting."""
        try:
            urlsplit(address)
            url = httpx.URL(address)
            self._headers = httpx.Headers({"content-type": NDJSON, **headers})
        except (httpx.InvalidURL, ValueError):
            raise BadSetting(f"{NAME}: a collector has an address that is no URL, or a header that is none.") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise BadSetting(f"{NAME}: the address of a collector must look like https://host/path.")
        # httpx logs the address of every request, so the password must not be part of it.
        self._url = url.copy_with(username=None, password=None)
        self._auth = httpx.BasicAuth(url.username, url.password) if url.username else None
        self._tls = ssl.create_default_context()

    def __str__(self) -> str:
        return f"collector {self._url.host}"

    async def send(self, lines: Sequence[str]) -> None:
        """Post records."""
        limit = SECONDS
        try:
            async with (
                asyncio.timeout(limit),
                httpx.AsyncClient(verify=self._tls, auth=self._auth, timeout=limit, trust_env=False) as client,
            ):
                answer = await client.post(self._url, content=block(lines).encode(), headers=self._headers)
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise Undelivered(f"{self}: {type(error).__name__}") from None
        if answer.status_code // 100 != 2:
            raise Undelivered(f"{self} answered {answer.status_code}")
