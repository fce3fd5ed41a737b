"""A key management service on loopback: as much of AWS KMS as encrypting and decrypting a message takes.

    kms = KeyService()          # kms.url is what POOLHOUSE_KMS_URL is
    kms.contexts                # the encryption contexts of the data keys that were made, oldest first

It stands for a part of the outside world; that it is asked rightly is up to the real SDKs on both of its sides.
"""

import base64
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_ARN = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"


class KeyService:
    """The endpoint, with one key; it listens from the start until ``close``."""

    def __init__(self) -> None:
        self._key = AESGCM(os.urandom(32))
        self.contexts: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, action: str, request: dict) -> tuple[int, dict]:
        context = json.dumps(request.get("EncryptionContext"), sort_keys=True).encode()
        if action == "Decrypt":
            blob = base64.b64decode(request["CiphertextBlob"])
            try:
                plain = self._key.decrypt(blob[:12], blob[12:], context)
            except InvalidTag:
                return 400, {"__type": "InvalidCiphertextException"}
            return 200, {"KeyId": KEY_ARN, "Plaintext": base64.b64encode(plain).decode()}
        assert action == "GenerateDataKey"
        if request["KeyId"] != KEY_ARN:
            return 400, {"__type": "NotFoundException", "message": f"Key '{request['KeyId']}' does not exist"}
        self.contexts.append(request["EncryptionContext"])
        plain, nonce = os.urandom(request["NumberOfBytes"]), os.urandom(12)
        sealed = nonce + self._key.encrypt(nonce, plain, context)
        return 200, {
            "KeyId": KEY_ARN,
            "Plaintext": base64.b64encode(plain).decode(),
            "CiphertextBlob": base64.b64encode(sealed).decode(),
        }

    def _request_handler(service) -> type[BaseHTTPRequestHandler]:
        class RequestHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert "/kms/aws4_request" in self.headers["Authorization"]
                status, answer = service.answer(self.headers["X-Amz-Target"].removeprefix("TrentService."), request)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args) -> None:
                pass

        return RequestHandler
