"""Make the list of breached passwords that comes with Poolhouse, out of three packages that hold such lists.

    python tools/make_breached_list.py Django-….whl zxcvbn-….whl zxcvbn-ts-language-common-….tgz

The archives are those of the package registries, in any version; see docs/decisions/0015-risk-engine.md for which
ones the present file was made of. What is written is described in `poolhouse.datafiles.breached`.
"""

import ast
import gzip
import json
import pathlib
import sys
import tarfile
import zipfile

from poolhouse.datafiles.breached import LIST, digest_of

# No pool lets a password be shorter.
SHORTEST = 6


def read_wheel(path: pathlib.Path) -> list[str]:
    """Return the passwords of Django or of zxcvbn for Python, whichever the wheel holds."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "zxcvbn/frequency_lists.py" in names:
            tree = ast.parse(archive.read("zxcvbn/frequency_lists.py"))
            lists = next(node.value for node in tree.body if isinstance(node, ast.Assign))
            assert isinstance(lists, ast.Dict)
            by_name = {key.value: value for key, value in zip(lists.keys, lists.values, strict=True)}  # type: ignore[union-attr]
            text = by_name["passwords"]
            if isinstance(text, ast.Call):  # "…".split(",")
                text = text.func.value  # type: ignore[attr-defined]
            return str(ast.literal_eval(text)).split(",")
        text = gzip.decompress(archive.read("django/contrib/auth/common-passwords.txt.gz")).decode()
        return text.splitlines()


def read_package(path: pathlib.Path) -> list[str]:
    """Return the passwords of zxcvbn-ts."""
    with tarfile.open(path) as archive:
        file = archive.extractfile("package/src/passwords.json")
        assert file is not None
        return [str(password) for password in json.load(file)]


def main() -> None:
    """Write the list beside the module that reads it."""
    passwords = set()
    for argument in sys.argv[1:]:
        path = pathlib.Path(argument)
        found = read_wheel(path) if path.suffix == ".whl" else read_package(path)
        passwords |= {password.lower() for password in found if len(password) >= SHORTEST}
    digests = sorted({digest_of(password) for password in passwords})
    LIST.write_bytes(b"".join(digests))
    print(f"{len(digests)} passwords, {LIST.stat().st_size} bytes")


if __name__ == "__main__":
    main()
