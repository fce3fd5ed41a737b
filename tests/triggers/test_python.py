"""Functions in Python, in processes of their own."""

import asyncio
import json
import logging
import os
import pathlib
import subprocess
import sys
import time

import pytest

from poolhouse import triggers as module
from poolhouse.triggers import python
from poolhouse.triggers.failure import BadMapping
from tests.triggers.running import EVENT, arn_of, refusal, routes, run

THREW = "UserLambdaValidationException: PreSignUp failed with error"
ENDED = f"{THREW} RequestId: <id> Error:"
# One module with everything that a function may do wrong.
SOURCE = """
import ctypes, json, logging, os, subprocess, sys, threading, time

count = 0
logging.getLogger().setLevel(logging.INFO)

def look(event, context):
    global count
    count += 1
    print("printed by", event["userName"], "and \\x1b[31m control")
    subprocess.run(["echo", "printed by a child"], check=True)
    logging.info("logged")
    assert sys.stdin.read() == ""
    return {
        "context": {name: getattr(context, name) for name in dir(context)
                    if not name.startswith("_") and name not in {"get_remaining_time_in_millis", "identity"}},
        "remaining": context.get_remaining_time_in_millis(),
        "environment": dict(os.environ), "pid": os.getpid(), "count": count, "directory": os.getcwd(),
        "modules": sorted(sys.modules), "files": sorted(os.listdir("/proc/self/fd")), "event": event,
    }

def throw(event, context): raise ValueError("boom" + event.get("more", ""))
def throw_nothing(event, context): raise KeyError
def leave(event, context): sys.exit(3)
def leave_quietly(event, context): os._exit(0)
def crash(event, context): ctypes.string_at(0)
def hang(event, context):
    if event.get("answers"): return event
    pids = event["pids"]
    other = subprocess.Popen(["sleep", "60"])
    with open(pids, "a") as file: file.write(f"{os.getpid()} {other.pid}\\n")
    time.sleep(60)
def unserializable(event, context): return {"set": {1}}
def nothing(event, context): pass
def not_a_number(event, context): return float("nan")
def half_a_pair(event, context): return "\\ud800"
def throw_half_a_pair(event, context): raise ValueError("\\ud800")
def large(event, context): return "x" * (6 * 1024 * 1024)
def larger(event, context): return "x" * (13 * 1024 * 1024)
def slow(event, context):
    time.sleep(0.15)
    return os.getpid()
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> pathlib.Path:
    """The directory of functions."""
    made = tmp_path_factory.mktemp("functions")
    (made / "hooks.py").write_text(SOURCE)
    (made / "broken.py").write_text("import nothing_of_that_name\n")
    return made


def settings(name, directory, module="hooks"):
    return {"*": f"python:{module}:{name}"}, None, directory


def invoke(name="f", event=EVENT):
    return lambda triggers: triggers.invoke("PreSignUp", arn_of(name), event)


def is_running(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_function_sees_what_it_would_on_aws(directory, monkeypatch, caplog):
    """It gets event and context, and one process after the other invocation; none of our settings, files and modules."""
    caplog.set_level(logging.INFO, "poolhouse.triggers")
    monkeypatch.setenv("POOLHOUSE_MASTER_KEY", "secret")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("TABLE_NAME", "users")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    monkeypatch.delenv("AWS_REGION", raising=False)

    async def twice(triggers):
        return [await invoke("f:live")(triggers), await invoke()(triggers)]

    first, second = run(twice, *settings("look", directory))
    assert first["event"] == EVENT
    stream = first["context"].pop("log_stream_name")
    assert "/[$LATEST]" in stream
    assert first["context"] == {
        "aws_request_id": first["context"]["aws_request_id"],
        "function_name": "f",
        "function_version": "live",
        "invoked_function_arn": arn_of("f:live"),
        "memory_limit_in_mb": "128",
        "log_group_name": "/aws/lambda/f",
        "client_context": None,
    }
    assert second["context"]["function_version"] == "$LATEST"
    assert first["context"]["aws_request_id"] != second["context"]["aws_request_id"]
    assert 3000 < first["remaining"] <= 5000
    assert first["environment"]["TABLE_NAME"] == "users"
    # The server's Region, unless the operator says another.
    assert [first["environment"][name] for name in ("AWS_REGION", "AWS_DEFAULT_REGION")] == ["eu-west-1", "eu-west-2"]
    assert [name for name in first["environment"] if name.startswith(("POOLHOUSE", "PG"))] == []
    assert (first["pid"], first["count"], second["count"]) == (second["pid"], 1, 2)
    assert first["pid"] != os.getpid()
    assert first["directory"] == str(directory)
    assert [name for name in first["modules"] if name.startswith(("poolhouse", "msgspec"))] == []
    assert len(first["files"]) <= 6
    printed = [record.getMessage() for record in caplog.records if record.name == "poolhouse.triggers.python"]
    assert printed[:3] == [
        "hooks:look: printed by Grüße 🔑 and  [31m control",
        "hooks:look: printed by a child",
        "hooks:look: [INFO] logged",
    ]
    assert not is_running(first["pid"])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("throw", f"{THREW} boom."),
        ("throw_nothing", f"{THREW} KeyError."),
        ("throw_half_a_pair", f"{THREW} ?."),
        ("unserializable", f"{THREW} Unable to marshal response: Object of type set is not JSON serializable."),
        ("not_there", f"{THREW} Handler 'not_there' missing on module 'hooks'."),
        ("leave", f"{ENDED} Runtime exited with error: exit status 3."),
        ("leave_quietly", f"{ENDED} Runtime exited without providing a reason."),
        ("crash", f"{ENDED} Runtime exited with error: signal: segmentation fault."),
        ("not_a_number", "InvalidLambdaResponseException: Unrecognizable lambda output"),
        ("half_a_pair", "InvalidLambdaResponseException: Unrecognizable lambda output"),
        ("large", "UnexpectedLambdaException: PreSignUp invocation failed due to error RequestTooLargeException."),
        ("larger", "UnexpectedLambdaException: PreSignUp invocation failed due to error RequestTooLargeException."),
    ],
)
def test_what_goes_wrong(directory, name, told):
    """Whatever a function does is told in the words of Lambda, and the next invocation finds it as it was."""

    async def twice(triggers):
        texts = []
        for _ in range(2):
            with pytest.raises(Exception) as error:
                await invoke()(triggers)
            texts.append(f"{type(error.value).__name__}: {error.value}")
        return texts

    first, second = run(twice, *settings(name, directory))
    for text in (first, second):
        words = text.split(" ")
        if "RequestId:" in words:
            words[words.index("RequestId:") + 1] = "<id>"
        assert " ".join(words) == told


def test_a_function_that_returns_nothing(directory):
    """Nothing is what comes back; the flows find that it is no event."""
    assert run(invoke(), *settings("nothing", directory)) is None


def test_a_function_that_hangs(directory, tmp_path, monkeypatch):
    """Its process is killed with all that it started, at each of three tries; the next invocation has another."""
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(module, "SECONDS", 0.3)
    pids = tmp_path / "pids"

    async def talk(triggers):
        with pytest.raises(Exception, match="Socket timeout while invoking Lambda function"):
            await invoke(event={"pids": str(pids)})(triggers)
        monkeypatch.setattr(module, "SECONDS", 5)
        return await invoke(event={"answers": True})(triggers)

    assert run(talk, *settings("hang", directory)) == {"answers": True}
    seen = [int(pid) for pid in pids.read_text().split()]
    assert len(seen) == len(set(seen)) == 6
    deadline = time.monotonic() + 5
    while any(map(is_running, seen)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(is_running, seen))


def test_a_function_ends_with_its_server(directory, tmp_path):
    """Whatever becomes of the server, its processes do not go on without it, not even in the middle of their work."""
    command = [sys.executable, "-P", python.CHILD, "hooks:hang", str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        request = {"id": "i", "arn": arn_of("f"), "event": {"pids": str(tmp_path / "pids")}, "deadline": 0}
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text().endswith("\n"):
            time.sleep(0.01)
        process.stdin.close()
        assert process.wait(5) == 0
    os.kill(int((tmp_path / "pids").read_text().split()[1]), 9)


def test_a_function_has_few_processes(directory, monkeypatch):
    """As many as are needed, up to the limit; the others wait."""
    monkeypatch.setattr(python, "PROCESSES", 2)

    async def crowd(triggers):
        return await asyncio.gather(*(invoke()(triggers) for _ in range(6)))

    assert len(set(run(crowd, *settings("slow", directory)))) == 2


def test_a_process_that_ended_meanwhile_is_replaced(directory):
    """A process that somebody else killed while nobody needed it costs no invocation."""

    async def talk(triggers):
        first = await invoke()(triggers)
        os.kill(first, 9)
        while is_running(first):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        return first, await invoke()(triggers)

    first, second = run(talk, *settings("slow", directory))
    assert first != second


def test_a_directory_for_each_function(directory):
    """A function's module finds those beside it, as in the package that Lambda gets; others of that name are others'."""
    for function in ("welcome", "goodbye"):
        (directory / function).mkdir()
        (directory / function / "helper.py").write_text(f"TEXT = {function!r}\n")
        source = "import json, helper\ndef lambda_handler(event, context): return json.dumps(helper.TEXT)\n"
        (directory / function / "lambda_function.py").write_text(source)
        (directory / function / "json.py").write_text("raise ImportError('not the library')\n")
        told = run(invoke(), *settings("lambda_handler", directory, f"{function}.lambda_function"))
        assert told == f'"{function}"'


def test_mappings_that_cannot_be(directory):
    """A name that is none, and a directory that is not there, are refused at the start; the import when it is checked."""
    for name in ("python:hooks", "python::f", "python:a.:f", "python:a:b.c", "python:a;b:c", "sh:x", "https://x.org/"):
        with pytest.raises(BadMapping, match="POOLHOUSE_FUNCTIONS"):
            routes({"*": name}, path=directory)
    with pytest.raises(BadMapping, match="POOLHOUSE_FUNCTIONS_PATH: /nowhere is no directory"):
        routes({"*": "python:a:b"}, path=pathlib.Path("/nowhere"))
    with pytest.raises(BadMapping, match="POOLHOUSE_LAMBDA_URL does not say where"):
        routes({"*": "lambda"})

    async def check(triggers):
        (runner,) = triggers.routes.runners
        await runner.check()

    run(check, *settings("throw", directory))
    for name, where, told in (
        ("f", "broken", "Unable to import module 'broken': No module named 'nothing_of_that_name'"),
        ("f", "absent", "Unable to import module 'absent': No module named 'absent'"),
        ("not_there", "hooks", "Handler 'not_there' missing on module 'hooks'"),
    ):
        with pytest.raises(BadMapping, match=told):
            run(check, *settings(name, directory, where))


def test_the_first_pattern_counts(directory):
    """Patterns are tried in their order, and what none fits goes to Lambda, where there is one."""
    mapped = {"*:function:a*": "python:hooks:throw", "*:function:ab": "python:hooks:nothing"}
    found = routes(mapped, path=directory)
    assert str(found.find(arn_of("ab"))) == "Python function hooks:throw"
    assert found.find(arn_of("b")) is None
    assert refusal(invoke("b"), mapped, None, directory).endswith("due to error ResourceNotFoundException.")
