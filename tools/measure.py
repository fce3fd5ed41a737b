"""Print the sizes of our source files and functions beside the yardstick of docs/design; informs, does not gate."""

import ast
import pathlib
import statistics

SOURCE = pathlib.Path(__file__).parent.parent / "src" / "poolhouse"


def functions(tree: ast.AST) -> list[int]:
    """Return the length of each function in lines, its docstring not counted."""
    lengths = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node):
                first = node.body[0]
                length -= (first.end_lineno or first.lineno) - first.lineno + 1
            lengths.append(length)
    return lengths


def measure(root: pathlib.Path = SOURCE) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Return the lines of each hand-written file, and the lengths of its functions."""
    files: dict[str, int] = {}
    lengths: dict[str, list[int]] = {}
    for path in sorted(root.rglob("*.py")):
        name = str(path.relative_to(root))
        text = path.read_text()
        if name.startswith("model/") or text.count("\n") <= 3:
            continue
        files[name] = text.count("\n")
        lengths[name] = functions(ast.parse(text))
    return files, lengths


def percentiles(values: list[int]) -> str:
    cuts = statistics.quantiles(values, n=10)
    return f"median {statistics.median(values):.0f}, p90 {cuts[8]:.0f}, max {max(values)}"


def main() -> None:
    files, lengths = measure()
    print(f"{len(files)} files, {sum(files.values())} lines: {percentiles(list(files.values()))} (aim 120, 300, 500)")
    every = [length for several in lengths.values() for length in several]
    print(f"{len(every)} functions: {percentiles(every)} (aim 8, 20, 50)")


if __name__ == "__main__":
    main()
