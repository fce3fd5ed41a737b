"""The house rules that a machine can check."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

from tools.measure import measure

ROOT = pathlib.Path(__file__).parent.parent
SOURCE = ROOT / "src" / "poolhouse"
HAND_WRITTEN = sorted(path for path in SOURCE.rglob("*.py") if "model" not in path.relative_to(SOURCE).parts)
LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 500, 60, 10


def test_layers_hold():
    """No package imports what is above or beside it, and the core stays pure."""
    lint = pathlib.Path(sys.executable).parent / "lint-imports"
    answer = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stdout


def test_files_and_functions_stay_readable():
    """No file and no function is so long that nobody reads it at a sitting."""
    files, functions = measure()

    assert {name: lines for name, lines in files.items() if lines > LONGEST_FILE} == {}
    assert {
        name: max(lengths) for name, lengths in functions.items() if max(lengths, default=0) > LONGEST_FUNCTION
    } == {}


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda path: str(path.relative_to(SOURCE)))
def test_public_names_are_documented(path: pathlib.Path):
    """Every public function, class and method says what it means."""
    missing = []
    for node in ast.parse(path.read_text()).body:
        documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        if not isinstance(node, documented) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            missing.append(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
            missing += [
                f"{node.name}.{method.name}"
                for method in methods
                if not method.name.startswith("_") and not ast.get_docstring(method)
            ]

    assert missing == []


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda path: str(path.relative_to(SOURCE)))
def test_functions_take_few_parameters(path: pathlib.Path):
    """A function with many parameters hides a value that has no name yet."""
    crowded = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            if len(arguments) > MOST_PARAMETERS + (1 if arguments and arguments[0].arg == "self" else 0):
                crowded.append(node.name)

    assert crowded == []


def test_sql_lives_in_storage():
    """Only storage speaks SQL."""
    statement = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b")
    elsewhere = [
        str(path.relative_to(SOURCE))
        for path in HAND_WRITTEN
        if path.relative_to(SOURCE).parts[0] != "storage" and statement.search(path.read_text())
    ]

    assert elsewhere == []


def test_schema_is_one_text_for_both_engines():
    """Schema files that exist for one engine only are counted; raising the count needs a reason here."""
    assert [path.name for path in (SOURCE / "storage" / "schema").glob("*.*.sql")] == []
