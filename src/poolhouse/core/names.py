"""Identifiers of pool resources: how they look and how they are made (spec/api/01 §6). Randomness is an argument."""

from collections.abc import Callable

# Draws a text of a length from an alphabet.
Draw = Callable[[int, str], str]

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
ALPHANUMERIC = DIGITS + LOWER + LOWER.upper()
BASE32HEX = DIGITS + LOWER[:22]
BASE64URL = ALPHANUMERIC + "-_"
SECRET_BYTES = 32


def new_pool_id(region: str, draw: Draw) -> str:
    """Return a new user pool id: the Region, ``_`` and nine letters or digits."""
    return f"{region}_{draw(9, ALPHANUMERIC)}"


def new_client_id(draw: Draw) -> str:
    """Return a new app client id: 26 digits to the base 32, the first of them 1 to 7."""
    return draw(1, "1234567") + draw(25, BASE32HEX)


def new_device_group_key(draw: Draw) -> str:
    """Return a new device group key: ``-`` and eight characters."""
    return "-" + draw(8, BASE64URL)


def new_distribution(draw: Draw) -> str:
    """Return a name as content distributions have it: the target of a custom domain's alias record."""
    return f"d{draw(13, DIGITS + LOWER)}.cloudfront.net"


def new_suffix(draw: Draw) -> str:
    """Return six characters that tell things of the same name apart, as in ``User pool - 3kf9ab``."""
    return draw(6, DIGITS + LOWER)


def secret_text(value: bytes) -> str:
    """Return 256 random bits as a client secret: 51 or 52 digits to the base 32."""
    number = int.from_bytes(value)
    digits = []
    while number:
        number, digit = divmod(number, 32)
        digits.append(BASE32HEX[digit])
    return "".join(reversed(digits)).rjust(51, "0")


def pool_arn(region: str, account_id: str, pool_id: str) -> str:
    """Return the ARN of a user pool."""
    return f"arn:aws:cognito-idp:{region}:{account_id}:userpool/{pool_id}"


def arn_in(region: str, arn: str) -> str:
    """Return an ARN as it is in another Region."""
    parts = arn.split(":")
    return ":".join([*parts[:3], region, *parts[4:]])


def find_pool_id(arn: str) -> str | None:
    """Return the pool id that an ARN of a user pool names, None where it names something else."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "cognito-idp":
        return None
    kind, _, name = parts[5].partition("/")
    return name if kind == "userpool" and name else None
