"""Acknowledged means durable, and workers share the database fairly."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

WRITER = pathlib.Path(__file__).with_name("writer.py")


@contextlib.contextmanager
def writers(url, count):
    """Start processes that write; they are killed in the end."""
    source = str(WRITER.parents[2] / "src")
    started = [
        subprocess.Popen(
            [sys.executable, str(WRITER), url, str(number)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": source},
        )
        for number in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
            process.stdout.close()


def acknowledged(process):
    """Kill a writer and return what it was told to be stored; a line that was cut off does not count."""
    process.send_signal(signal.SIGKILL)
    lines = process.stdout.read().decode().splitlines(keepends=True)
    process.wait()
    return [line.strip() for line in lines if line.endswith("\n")]


def test_kill_loses_nothing_acknowledged(url, open_sync):
    """After kill -9 in the middle of writing, each acknowledged write is there, and the database opens."""
    for round in range(2):
        with writers(url, 1) as (process,):
            process.stdout.readline()
            time.sleep(0.3)
            told = acknowledged(process)
        assert len(told) > 20
        store = open_sync(url)
        lost = [name for name in told if store.read(lambda tx, name=name: tx.settings.find(name)) is None]
        assert lost == [], round


def test_two_processes_both_make_progress(url):
    """Neither of two writing processes starves the other."""
    with writers(url, 2) as pair:
        for process in pair:
            process.stdout.readline()
        time.sleep(1)
        counts = [len(acknowledged(process)) for process in pair]
    assert min(counts) * 8 > max(counts), counts
