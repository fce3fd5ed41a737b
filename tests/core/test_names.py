"""Identifiers of pool resources and the content of page tokens (spec/api/01 §6–7)."""

import itertools
import re

from poolhouse.core.names import (
    find_pool_id,
    new_client_id,
    new_device_group_key,
    new_distribution,
    new_pool_id,
    pool_arn,
    secret_text,
)
from poolhouse.core.paging import binding, cut


def drawer():
    """A source of characters that goes through each alphabet in turn."""
    numbers = itertools.count()
    return lambda length, alphabet: "".join(alphabet[next(numbers) % len(alphabet)] for _ in range(length))


def test_identifiers_have_cognito_s_shapes():
    """Each matches what clients and the model's patterns expect."""
    draw = drawer()
    assert re.fullmatch(r"eu-west-1_[0-9a-zA-Z]{9}", new_pool_id("eu-west-1", draw))
    assert re.fullmatch(r"[1-7][0-9a-v]{25}", new_client_id(draw))
    assert re.fullmatch(r"-[\w-]{8}", new_device_group_key(draw))
    assert re.fullmatch(r"d[0-9a-z]{13}\.cloudfront\.net", new_distribution(draw))


def test_a_secret_is_the_whole_number_to_the_base_32():
    """It has 51 or 52 digits and loses no bit."""
    largest = secret_text(b"\xff" * 32)
    assert re.fullmatch(r"[0-9a-v]{52}", largest)
    assert int(largest, 32) == 2**256 - 1
    assert secret_text(b"\x00" * 31 + b"\x21").rjust(51, "0") == "11".rjust(51, "0")
    assert len(secret_text(b"\x0f" + b"\xff" * 31)) == 51


def test_an_arn_names_its_pool():
    """ARNs of other things, and texts that are none, name no pool."""
    arn = pool_arn("eu-west-1", "111122223333", "eu-west-1_AbCdEfGhI")
    assert arn == "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEfGhI"
    assert find_pool_id(arn) == "eu-west-1_AbCdEfGhI"
    for other in ("arn:aws:s3:::bucket", "arn:aws:cognito-idp:eu-west-1:1:group/x", arn.partition("/")[0], "x", ""):
        assert find_pool_id(other) is None


def test_a_page_goes_on_only_where_more_follows():
    """The row beyond the limit tells, and is not given out."""
    assert cut(["a", "b", "c"], 2, str.upper) == (["a", "b"], "B")
    assert cut(["a", "b"], 2, str.upper) == (["a", "b"], None)
    assert cut([], 2, str.upper) == ([], None)


def test_bindings_tell_lists_apart():
    """Parameters cannot run into one another."""
    assert binding("L", "ab", "c") != binding("L", "a", "bc")
    assert binding("L", None) != binding("L", "None")
