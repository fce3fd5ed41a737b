"""Reading the lines of a stored file, whatever chunks they were cut into."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse.flows import import_files
from poolhouse.flows.import_files import LONGEST_LINE, read_lines

CHUNK = 8


@pytest.fixture(scope="module", autouse=True)
def small_chunks():
    """Chunks of a few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_files, "CHUNK", CHUNK)
        yield


def read(data: bytes, start: int = 0) -> list[tuple[bytes | None, int]]:
    """The lines of a file from a byte on."""

    async def fetch(number: int) -> bytes | None:
        return data[number * CHUNK : (number + 1) * CHUNK] or None

    async def collect() -> list[tuple[bytes | None, int]]:
        return [line async for line in read_lines(fetch, start)]

    return asyncio.run(collect())


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=9), st.booleans())
def test_lines_are_read_from_anywhere(lines, ended):
    """Lines come back as they were, with the byte after each, and reading goes on from any of these as from the start."""
    data = b"\n".join(lines) + (b"\n" if ended else b"")

    found = read(data)

    assert [line for line, _ in found] == data.split(b"\n")[: len(found)]
    assert b"".join(line + b"\n" for line, _ in found).removesuffix(b"\n") == data.removesuffix(b"\n")
    for number, (_, after) in enumerate(found, 1):
        assert read(data, after) == found[number:]
    if found:
        assert found[-1][1] == len(data)


def test_a_line_that_is_too_long_is_not_held():
    """None stands for it, and the lines after it are read as ever."""
    good = b"x" * LONGEST_LINE
    data = b"a\n" + good + b"\n" + good + b"y\nb"

    assert [line for line, _ in read(data)] == [b"a", good, None, b"b"]
    assert read(data)[-1][1] == len(data)
