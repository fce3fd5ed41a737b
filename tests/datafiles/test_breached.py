"""Lists of breached passwords: the one that comes along, and files too large to load."""

import asyncio
import hashlib
import logging

import pytest

from poolhouse.app import Outside, build_deps
from poolhouse.datafiles.breached import DIGEST_BYTES, LIST, BadList, BreachedPasswords, check_list, search
from poolhouse.settings import SettingsError
from tests.conftest import make_settings


def digest(password):
    return hashlib.sha1(password.encode()).hexdigest().upper().encode()


def write(path, passwords, end=b"\r\n"):
    lines = sorted(digest(password) + b":%d" % (len(password) ** 5) for password in passwords)
    path.write_bytes(end.join(lines) + end)
    return path


def test_the_list_that_comes_along():
    """Sorted, of whole digests, with few mistakes; it knows what is guessed first, in any spelling."""
    digests = LIST.read_bytes()
    parts = [digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES)]
    assert parts == sorted(set(parts))
    assert len(parts) / 256**DIGEST_BYTES < 1e-6
    known = BreachedPasswords()
    for password in ("password", "Password1!", "P@ssw0rd", "qwertyuiop"):
        assert asyncio.run(known.knows(password))
    for password in ("Correct-Horse-1", "", "\ud800"):
        assert not asyncio.run(known.knows(password))


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("count", [0, 1, 2, 90, 5000])
def test_every_line_is_found(tmp_path, end, count):
    """The first, the last and all between, and nothing else, however long the file."""
    passwords = [f"secret-{number}" for number in range(count)]
    path = write(tmp_path / "list", passwords, end)
    if count:
        check_list(path)
    step = max(1, count // 400)
    ordered = sorted(map(digest, passwords))
    for each in ordered[:3] + ordered[::step] + ordered[-3:]:
        assert search(path, each)
    for number in range(200):
        assert not search(path, digest(f"other-{number}"))
    assert not search(path, b"0" * 40)
    assert not search(path, b"F" * 40)


def test_a_large_list(tmp_path, caplog):
    """It is asked beside the small one; a new file takes its place; one that is gone locks nobody out."""
    path = write(tmp_path / "list", ["Xq-unheard-of-1"])
    known = BreachedPasswords(path)
    assert asyncio.run(known.knows("Xq-unheard-of-1"))
    assert not asyncio.run(known.knows("Xq-unheard-of-2"))
    write(path, ["Xq-unheard-of-2"])
    assert asyncio.run(known.knows("Xq-unheard-of-2"))
    path.unlink()
    with caplog.at_level(logging.WARNING):
        assert not asyncio.run(known.knows("Xq-unheard-of-2"))
    assert "cannot be searched" in caplog.text
    assert asyncio.run(known.knows("password"))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"password\nletmein\n", "not a SHA-1 digest"),
        (b"%s:2\n%s:1\n" % (b"F" * 40, b"0" * 40) * 99, "not sorted"),
        (b"%s:1\n" % (b"0" * 40) + b"A" * 100_000, "too long"),
    ],
)
def test_what_is_no_list(tmp_path, content, fault):
    """A file of passwords, one that is ordered by count, and what is neither."""
    path = tmp_path / "list"
    path.write_bytes(content)
    with pytest.raises(BadList, match=fault):
        check_list(path)


def test_settings_name_files_that_are_there(tmp_path):
    """The server does not start with a list or a file of places that it cannot use."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"nothing of use\n" * 9)
    for setting in ("breached_passwords", "geoip"):
        for path in (broken, tmp_path / "none"):
            settings = make_settings("sqlite:///:memory:", tmp_path, **{setting: str(path)})
            with pytest.raises(SettingsError, match=f"POOLHOUSE_{setting.upper()}"):
                build_deps(settings, None, Outside())
