"""AWS Signature Version 4: the keys, and a signer of requests to Lambda and SNS.

The verifier of our own API (api/sigv4.py) is for one path and takes requests apart; here they are put together.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from msgspec import Struct

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"


class Credentials(Struct, frozen=True):
    """Who signs. ``session_token`` belongs to credentials that expire."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


def domain_of(region: str) -> str:
    """Return the domain that the endpoints of a Region are in; those in China have one of their own."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def sign(
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: int,
) -> dict[str, str]:
    """Return the headers of a POST to a service, with its signature added. ``now`` is milliseconds.

    ``headers`` are in small letters, ``host`` among them, and all of them are signed. ``path`` is as sent.
    """
    moment = f"{datetime.fromtimestamp(now // 1000, UTC):%Y%m%dT%H%M%SZ}"
    signed = {**headers, "x-amz-date": moment}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
    # Every service but S3 has the path encoded once more, and no query is sent.
    request = f"POST\n{quote(path, safe='/~')}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{region}/{service}/{TERMINATOR}"
    text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(signing_key(credentials.secret_access_key, scope), text.encode(), "sha256").hex()
    credential = f"{credentials.access_key_id}/{scope}"
    signed["authorization"] = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return signed


def signing_key(secret: str, scope: str) -> bytes:
    """Derive the key of a credential scope, ``date/region/service/aws4_request``, from a secret access key."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
