"""SRP sign-ins: two requests each, with the client's arithmetic in between."""

import asyncio
import base64
import hashlib
import hmac
import json
import time

import gmpy2

from bench.load import BadAnswer, Result
from bench.machine import http
from poolhouse.core.srp import MULTIPLIER, PRIME, derive_key, private_key, scrambler, to_hex

# A short secret keeps the client cheap; the server's work does not depend on it.
CLIENT_SECRET = int.from_bytes(hashlib.sha256(b"client").digest()[:16], "big")
CLIENT_PUBLIC = int(gmpy2.powmod(2, CLIENT_SECRET, PRIME))
TIMESTAMP = "%a %b %-d %H:%M:%S UTC %Y"


async def srp_sign_ins(
    port: int, host: dict[str, str], pool_id: str, client_id: str, username: str, password: str, seconds: float = 4.0
) -> Result:
    """Sign in by SRP over eight connections for some seconds; raises BadAnswer."""
    result = Result()
    began = time.perf_counter()
    ends_at = began + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < ends_at:
            started = time.perf_counter()
            await _sign_in(reader, writer, host, pool_id, client_id, username, password)
            result.count += 1
            result.latencies.append(time.perf_counter() - started)
            result.seconds = time.perf_counter() - began
        writer.close()

    await asyncio.gather(*(one() for _ in range(8)))
    return result


async def _sign_in(reader, writer, host, pool_id, client_id, username, password) -> None:
    start = {
        "AuthFlow": "USER_SRP_AUTH",
        "ClientId": client_id,
        "AuthParameters": {"USERNAME": username, "SRP_A": to_hex(CLIENT_PUBLIC)},
    }
    challenge = (await _ask(reader, writer, host, "InitiateAuth", start))["ChallengeParameters"]
    timestamp = time.strftime(TIMESTAMP, time.gmtime())
    answer = {
        "ChallengeName": "PASSWORD_VERIFIER",
        "ClientId": client_id,
        "ChallengeResponses": {
            "USERNAME": challenge["USER_ID_FOR_SRP"],
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SIGNATURE": _signature(challenge, pool_id, password, timestamp),
        },
    }
    done = await _ask(reader, writer, host, "RespondToAuthChallenge", answer)
    if "AccessToken" not in done.get("AuthenticationResult", {}):
        raise BadAnswer(str(done))


def _signature(challenge: dict[str, str], pool_id: str, password: str, timestamp: str) -> str:
    group, user_id = pool_id.partition("_")[2], challenge["USER_ID_FOR_SRP"]
    server_public = int(challenge["SRP_B"], 16)
    x = private_key(challenge["SALT"], group, user_id, password)
    u = scrambler(CLIENT_PUBLIC, server_public)
    base = (server_public - MULTIPLIER * int(gmpy2.powmod(2, x, PRIME))) % PRIME
    secret = int(gmpy2.powmod(base, CLIENT_SECRET + u * x, PRIME))
    message = group.encode() + user_id.encode() + base64.b64decode(challenge["SECRET_BLOCK"]) + timestamp.encode()
    return base64.b64encode(hmac.digest(derive_key(secret, u), message, "sha256")).decode()


async def _ask(reader, writer, host, operation: str, body: dict) -> dict:
    headers = host | {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
    }
    writer.write(http("POST", "/", json.dumps(body).encode(), headers))
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    content = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise BadAnswer(content.decode())
    return json.loads(content)
