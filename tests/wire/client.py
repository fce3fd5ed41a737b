"""Raw requests to the JSON API, as no SDK would let one make them."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PREFIX = "AWSCognitoIdentityProviderService."
CONTENT_TYPE = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Answer:
    """A response; headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.document["__type"]

    @property
    def message(self) -> str:
        return self.document["message"]


class RawClient:
    """One kept connection to a server."""

    def __init__(self, server) -> None:
        self._server = server
        self.netloc = urlsplit(server.url).netloc
        self._connection = http.client.HTTPConnection(self.netloc, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def send(self, method: str, headers: dict[str, str], body: bytes = b"", path: str = "/") -> Answer:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def headers(self, operation: str, **more: str) -> dict[str, str]:
        given = {"X-Amz-Target": PREFIX + operation, "Content-Type": CONTENT_TYPE, "Host": self.netloc}
        return given | {name.replace("_", "-"): value for name, value in more.items()}

    def sign(
        self,
        headers: dict[str, str],
        body: bytes,
        *,
        key: str | None = None,
        secret: str | None = None,
        service: str = "cognito-idp",
        region: str = "us-east-1",
    ) -> dict[str, str]:
        request = AWSRequest("POST", f"http://{self.netloc}/", data=body, headers=headers)
        credentials = Credentials(key or self._server.access_key, secret or self._server.secret_key)
        SigV4Auth(credentials, service, region).add_auth(request)
        return dict(request.headers.items())

    def post(self, operation: str, document: object = None, **more: str) -> Answer:
        """An unsigned request; ``document`` may be ready bytes."""
        body = document if isinstance(document, bytes) else json.dumps(document or {}).encode()
        return self.send("POST", self.headers(operation, **more), body)

    def signed(self, operation: str, document: object = None, **options: str) -> Answer:
        """A request with a good signature, unless the options spoil it."""
        body = document if isinstance(document, bytes) else json.dumps(document or {}).encode()
        return self.send("POST", self.sign(self.headers(operation), body, **options), body)
