"""The documentation, held to the code."""

import ast
import functools
import itertools
import os
import pathlib
import re
import subprocess
import sys

import pytest

from poolhouse.api.errors import ProtocolError
from poolhouse.model import OPERATIONS
from poolhouse.settings import LATER
from tests.conftest import ACCESS_KEY, SECRET_KEY
from tools.generate_reference import GENERATED, SOURCE, command_line, command_paths, described_settings

ROOT = pathlib.Path(__file__).parent.parent
DOCS = ROOT / "docs"
BIN = pathlib.Path(sys.executable).parent
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
START_PAGES = sorted(f"start/{page.name}" for page in (DOCS / "start").glob("*.md"))
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
# Blocks of docs/start that no test runs, and why.
NOT_RUN = {
    "make serve": "it starts a server that does not end; tests start one of their own",
    "EMAIL=ann@example.org PASSWORD=": "tests/test_readme.py runs it, between two blocks of README",
    "LOGIN=": "tests/test_readme.py runs it, between two blocks of README",
}

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@functools.cache
def text_of(page: str | pathlib.Path) -> str:
    return (DOCS / page).read_text()


def blocks(text: str, *languages: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page in these languages, as (language, content)."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(language, block) for language, block in found if language in languages]


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.name)
def test_generated_pages_are_fresh(page: pathlib.Path):
    """What ``make reference`` would write is what is committed."""
    assert page.read_text() == GENERATED[page]()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_documented(operation: str):
    """Each operation has one row, which says who may call it and what it does."""
    (row,) = re.findall(rf"^\| `{operation}` \| (.*) \|$", text_of("reference/operations.md"), re.MULTILINE)
    caller, what = (cell.strip() for cell in row.split(" | "))

    assert caller in {"signed", "access token", "app client"}
    assert what.endswith(".")


def test_every_setting_is_documented():
    """Each setting has a row with its default and its meaning."""
    page = text_of("reference/settings.md")

    for name, default, meaning in described_settings():
        assert meaning, name
        assert f"| `{name}` | {f'`{default}`' if default else ''} |" in page


def test_every_command_is_documented():
    """Each command has a section with its usage and an example."""
    page = text_of("reference/cli.md")

    for path in command_paths(command_line):
        name = " ".join(("poolhouse", *path))
        section = re.search(rf"^## `{name}`\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
        assert section, name
        assert f"Usage: {name}" in section[1]
        assert re.search(rf"Example: (eval .*)?{name}", section[1]), name


@pytest.mark.parametrize("error", ProtocolError.__subclasses__(), ids=lambda error: error.__name__)
def test_every_protocol_error_is_documented(error: type[ProtocolError]):
    """Each error of the protocol has a row with its status and when it occurs."""
    assert re.search(rf"\| `{error.__name__}` \| {error.status} \| .+\. \|", text_of("reference/errors.md"))


def test_every_difference_is_collected():
    """Each paragraph about a difference in the code has a place on the page of differences."""
    told = sum(path.read_text().count("Differs from Cognito") for path in SOURCE.rglob("*.py"))
    listed = re.findall(r"^- \*\*", text_of("reference/differences.md"), re.MULTILINE)

    assert len(listed) == told


def purposes() -> set[str]:
    """Everything that the master key has a derived key for, as the code names it."""
    names = re.compile(r'^_?(?:\w*PURPOSE|INVITATION|KEY_CHECK) = "([^"]+)"', re.MULTILINE)
    calls = re.compile(r'sealer\.(?:seal|digest)\("([^"]+)"')
    cookies = re.compile(r'^\w+_COOKIE = "(poolhouse-[^"]+)"', re.MULTILINE)
    texts = [path.read_text() for path in SOURCE.rglob("*.py")]
    return {name for text in texts for pattern in (names, calls, cookies) for name in pattern.findall(text)}


def test_every_purpose_of_the_master_key_is_documented():
    """The page about keys names each purpose that something is sealed or digested for."""
    assert {name for name in purposes() if f"`{name}`" not in text_of("design/keys.md")} == set()
    assert "signing key" in purposes()


@pages
def test_internal_links_resolve(page: pathlib.Path):
    """A relative link leads to a file, and its anchor to a heading there."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text()):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, anchor


@pages
def test_named_files_exist(page: pathlib.Path):
    """A file of this repository that a page names is there; so is a test that it names."""
    named = re.findall(r"`((?:docs|src|tests|tools|bench)/[\w./-]+|[A-Z]+\.md)(?:::(\w+))?`", page.read_text())

    for name, test in named:
        assert (ROOT / name).exists(), name
        assert not test or re.search(rf"^(async )?def {test}\(", (ROOT / name).read_text(), re.MULTILINE), test


@pages
def test_named_settings_exist(page: pathlib.Path):
    """Every setting that a page names is one."""
    known = {name for name, _, _ in described_settings()} | {"POOLHOUSE_CONFIG", "POOLHOUSE_"}
    known |= {f"POOLHOUSE_{name.upper()}" for name in LATER if page == DOCS / "reference" / "settings.md"}
    named = set(re.findall(r"\bPOOLHOUSE_[A-Z0-9_]*", page.read_text()))

    assert {name for name in named if name.removesuffix("_FILE") not in known} == set()


@pages
def test_named_commands_exist(page: pathlib.Path):
    """Every command in a shell block, or in code, is one."""
    known = {path[0] for path in command_paths(command_line) if path}
    text = page.read_text()
    used = [block for _, block in blocks(text, "sh", "yaml", "ini")] + re.findall(r"`([^`\n]*)`", text)
    named = {word for code in used for word in re.findall(r"(?<![\w/.-])(?:\S*bin/)?poolhouse ([a-z]+)", code)}

    assert named <= known


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_python_blocks_are_python(page: pathlib.Path):
    """Every Python block parses."""
    for _, block in blocks(page.read_text(), "python"):
        ast.parse(block)


def test_every_page_is_on_the_map():
    """Each page but the decisions is linked from the index."""
    linked = {DOCS / target for target in re.findall(r"\]\(([^)#]+)\)", text_of("index.md"))}
    listed = {page for page in DOCS.rglob("*.md") if page.parent.name != "decisions"} - {DOCS / "index.md"}

    assert listed <= linked


def test_labels_of_the_first_pool_exist():
    """Whatever the page tells readers to press or choose is written so in the console or on the login pages."""
    folders = (SOURCE / "console", SOURCE / "login", SOURCE / "core")
    shown = "\n".join(
        path.read_text() for folder in folders for path in folder.rglob("*") if path.suffix in {".html", ".py"}
    )
    labels = re.findall(r"\*\*(.+?)\*\*", text_of("start/first-pool.md"))

    assert len(labels) > 10
    assert [label for label in labels if label not in shown] == []


def test_what_serve_prints_is_shown_as_it_is():
    """The lines on the page about the first pool are those that ``serve`` prints."""
    source = (SOURCE / "cli" / "serve.py").read_text()
    ((_, shown),) = blocks(text_of("start/first-pool.md"), "text")

    for line in shown.splitlines()[1:]:
        assert re.match(r"  [A-Z]\w*( [a-z]+)*  +", line)[0] in source


def runnable(page: str) -> list[tuple[str, str]]:
    """The blocks of a page that can run here."""
    found = blocks(text_of(page), "sh", "python")
    return [(language, block) for language, block in found if not block.startswith(tuple(NOT_RUN))]


def script_of(page: str) -> str:
    """The blocks of a page as one shell script; Python blocks that follow each other share their names."""
    parts = ["set -euo pipefail"]
    for language, group in itertools.groupby(runnable(page), key=lambda found: found[0]):
        code = "\n".join(block for _, block in group).replace(".venv/bin/", f"{BIN}/")
        parts.append(code if language == "sh" else f"{sys.executable} - <<'PYTHON'\n{code}\nPYTHON")
    return "\n".join(parts)


def test_reasons_for_not_running_are_needed():
    """Each block that is excused is there."""
    every = [block for page in START_PAGES for _, block in blocks(text_of(page), "sh", "python")]

    assert [start for start in NOT_RUN if not any(block.startswith(start) for block in every)] == []


@pytest.mark.clients
@pytest.mark.parametrize("page", [page for page in START_PAGES if runnable(page)])
def test_blocks_of_the_start_pages_run(own_server, tmp_path: pathlib.Path, page: str):
    """The shell and Python blocks of a page, run in order, succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POOLHOUSE_"))}
    environment |= {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "AWS_PAGER": "",
        "POOLHOUSE_DATABASE": own_server.settings.database,
        "POOLHOUSE_MASTER_KEY": own_server.settings.master_key,
        "POOLHOUSE_PORT": str(own_server.settings.port),
        "POOLHOUSE_ROOT_ACCESS_KEY_ID": ACCESS_KEY,
        "POOLHOUSE_ROOT_SECRET_ACCESS_KEY": SECRET_KEY,
    }

    done = subprocess.run(
        ["bash", "-c", script_of(page)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    if page == "start/boto3.md":
        assert "'email': 'ann@example.org'" in done.stdout
        assert done.stdout.endswith("Incorrect username or password.\n")


def test_changelog_has_full_sentences_for_the_next_release():
    """CHANGELOG has an Unreleased section, whose entries are sentences."""
    unreleased = re.search(
        r"^## Unreleased\n(.*?)(?=^## |\Z)", (ROOT / "CHANGELOG.md").read_text(), re.DOTALL | re.MULTILINE
    )
    entries = re.findall(r"^- (.*)$", unreleased[1], re.MULTILINE)

    assert f"- All {len(OPERATIONS)} operations" in unreleased[1]
    assert [entry for entry in entries if not re.match(r"[A-Z0-9`].*\.$", entry)] == []


def test_decisions_are_numbered_without_gaps():
    """Decision records count from one, and each title has its number."""
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for number, page in enumerate(DECISIONS, 1):
        assert page.read_text().startswith(f"# {number}. ")


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_decisions_have_their_parts(page: pathlib.Path):
    """A decision tells its context, itself, what was refused, and what follows, in this order."""
    parts = re.findall(r"^\*\*(Context|Decision|Refused|Consequences)\.\*\*", page.read_text(), re.MULTILINE)

    assert parts == ["Context", "Decision", "Refused", "Consequences"]
