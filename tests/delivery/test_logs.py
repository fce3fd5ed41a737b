"""Where records of logs go: files, standard output, collectors, and what happens when these are away."""

import asyncio
import base64
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from poolhouse.delivery import Courier
from poolhouse.delivery.failure import BadSetting, NotDelivered
from poolhouse.delivery.logs import LogRoutes, Undelivered
from poolhouse.flows.log_delivery import BATCH, DESTINATIONS, LEASE, LogDelivery
from poolhouse.model import CodeDeliveryFailureException
from poolhouse.settings import LogCollector
from poolhouse.storage import open_store
from tests.conftest import MovableClock
from tests.storage.builders import message

ARN = "arn:aws:logs:us-east-1:000000000000:log-group:/pools/a"


class Collector:
    """An HTTP collector that remembers what came."""

    def __init__(self) -> None:
        self.status, self.port = 200, 0
        self.came: list[tuple[dict[str, str], list[str]]] = []

    @property
    def lines(self) -> list[str]:
        return [line for _, lines in self.came for line in lines]


@pytest.fixture
def collector():
    state = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            if state.status // 100 == 2:
                state.came.append((headers, body.splitlines()))
            self.send_response(state.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def send(settings, *lines, arn=ARN):
    asyncio.run(LogRoutes(settings).find(arn).send(lines))


def test_the_first_pattern_that_fits_counts(tmp_path):
    """An ARN that none fits goes to standard output; one place is one sink, however many patterns lead there."""
    file = f"file:{tmp_path}/a"
    routes = LogRoutes({"arn:aws:s3:::b*": "none", "arn:aws:s3:::*x": file, "arn:[a]?*": "none", "exact": file})
    found = {arn: str(routes.find(arn)) for arn in ("arn:aws:s3:::bx", "arn:aws:s3:::cx", "arn:a", "exact", "exactly")}
    assert found == {
        "arn:aws:s3:::bx": "nowhere",
        "arn:aws:s3:::cx": f"file {tmp_path}/a",
        "arn:a": "standard output",
        "exact": f"file {tmp_path}/a",
        "exactly": "standard output",
    }
    assert routes.find("exact") is routes.find("arn:aws:s3:::cx")


@pytest.mark.parametrize("meaning", ["", "stdin", "file:", "ftp://x", "https://", "http://[", LogCollector(url="x")])
def test_bad_destinations_are_refused(meaning):
    """When the server starts, not when the first record comes."""
    with pytest.raises(BadSetting, match="POOLHOUSE_LOG_DELIVERY"):
        LogRoutes({"*": meaning})


def test_a_file_grows_and_may_be_moved_away(tmp_path):
    """It is made for owner and group alone, appended to, and made anew where it was rotated."""
    file = tmp_path / "a.jsonl"
    send({"*": f"file:{file}"}, "1", "2")
    send({"*": f"file:{file}"}, "3")
    assert file.read_text() == "1\n2\n3\n"
    assert file.stat().st_mode & 0o007 == 0
    file.rename(tmp_path / "a.1")
    send({"*": f"file:{file}"}, "ü")
    assert file.read_text("utf-8") == "ü\n"
    with pytest.raises(Undelivered, match="No such file"):
        send({"*": f"file:{tmp_path}/nowhere/a"}, "1")


def test_standard_output(capsys):
    """A line for each record."""
    send({}, "1", "2")
    assert capsys.readouterr().out == "1\n2\n"


def test_a_collector_gets_lines(collector, caplog):
    """As NDJSON, with what the setting says for authentication, which shows in no log."""
    with caplog.at_level(logging.DEBUG):
        send({"*": f"http://user:p%40ss@127.0.0.1:{collector.port}/in"}, "1", "2")
        url = f"http://127.0.0.1:{collector.port}/in"
        send({"*": LogCollector(url=url, headers={"Authorization": "Splunk t0ken"})}, "3")
    (basic, first), (own, second) = collector.came
    assert (first, second) == (["1", "2"], ["3"])
    assert basic["content-type"] == "application/x-ndjson"
    assert basic["authorization"] == "Basic " + base64.b64encode(b"user:p@ss").decode()
    assert own["authorization"] == "Splunk t0ken"
    assert "p@ss" not in caplog.text
    assert "t0ken" not in caplog.text


def test_a_message_that_did_not_arrive_is_reported():
    """Where it was the only try; of another one there is more to come."""
    reported = []

    async def keep(message):
        raise AssertionError("kept instead of sent")

    async def report(message):
        reported.append(message.id)

    async def work():
        courier = Courier(keep, now=int, smtp_url="smtp://127.0.0.1:1", report=report)
        with pytest.raises(CodeDeliveryFailureException):
            await courier.deliver(message("1"))
        with pytest.raises(NotDelivered):
            await courier.attempt(message("2"))

    asyncio.run(work())
    assert reported == ["1"]


class Stage:
    """Deliveries over one store, as several processes have them, and a clock."""

    def __init__(self, url):
        self.clock = MovableClock()
        self.store = open_store(url)

    def delivery(self, **settings):
        return LogDelivery(self.store, self.clock, LogRoutes(settings))

    async def add(self, *numbers, arn=ARN):
        for number in numbers:
            await self.store.write(lambda tx, number=number: tx.log_records.add(arn, {"n": number}, self.clock.now()))

    async def left(self):
        return await self.store.read(lambda tx: tx.log_records._sql.row("SELECT COUNT(*) FROM log_records")[0])


@pytest.fixture
def play(tmp_path):
    """Run a play on a stage."""

    def run(work):
        async def whole():
            stage = Stage(f"sqlite:///{tmp_path}/logs.db")
            try:
                await work(stage)
            finally:
                await stage.store.close()

        asyncio.run(whole())

    return run


def test_records_wait_for_a_collector_that_is_away(play, collector, tmp_path, caplog):
    """It rests longer each time and holds up nobody else; nothing is lost, and nothing comes twice."""

    async def work(stage):
        other = "arn:other"
        delivery = stage.delivery(**{ARN: f"http://127.0.0.1:{collector.port}/", other: f"file:{tmp_path}/other"})
        await stage.add(1, 2)
        await stage.add(3, arn=other)
        collector.status = 503
        assert await delivery.deliver_due() == 1
        assert (tmp_path / "other").read_text() == '{"n":3}\n'
        assert "collector 127.0.0.1 answered 503" in caplog.text
        warnings = len(caplog.records)
        assert await delivery.deliver_due() == 0
        assert len(caplog.records) == warnings  # it rests
        stage.clock.advance(1.1)
        assert await delivery.deliver_due() == 0
        assert "wait for 2 seconds" in caplog.text
        collector.status = 204
        stage.clock.advance(1.1)
        assert await delivery.deliver_due() == 0
        stage.clock.advance(1)
        assert await delivery.deliver_due() == 2
        assert collector.lines == ['{"n":1}', '{"n":2}']
        assert await stage.left() == 0

    play(work)


def test_many_destinations_that_rest_hide_no_other(play, collector, tmp_path):
    """However many wait for a collector that is away, the next round looks further."""

    async def work(stage):
        url = f"http://127.0.0.1:{collector.port}/"
        delivery = stage.delivery(**{"a*": url, "z": f"file:{tmp_path}/z"})
        collector.status = 500
        for number in range(DESTINATIONS):
            await stage.add(number, arn=f"a{number}")
        await stage.add(1, arn="z")
        assert [await delivery.deliver_due() for _ in range(2)] == [0, 1]
        collector.status = 200
        stage.clock.advance(2)
        assert await delivery.deliver_due() == DESTINATIONS

    play(work)


def test_one_process_sends_a_record_at_a_time(play, collector):
    """What another one has taken is due again when that one fell silent."""

    async def work(stage):
        delivery = stage.delivery(**{"*": f"http://127.0.0.1:{collector.port}/"})
        await stage.add(1)
        now = stage.clock.now()
        await stage.store.write(lambda tx: tx.log_records.claim(ARN, now=now, until=now + LEASE, limit=9))
        assert await delivery.deliver_due() == 0
        stage.clock.advance(LEASE / 1000 + 1)
        assert await delivery.deliver_due() == 1
        await stage.add(*range(20))
        both = [stage.delivery(**{"*": f"http://127.0.0.1:{collector.port}/"}) for _ in range(2)]
        assert sum(await asyncio.gather(*(each.deliver_due() for each in both))) == 20
        assert len(collector.lines) == 21

    play(work)


def test_batches_are_bounded(play, collector):
    """However many records wait."""

    async def work(stage):
        now = stage.clock.now()
        fill = lambda tx: [tx.log_records.add(ARN, {"n": number}, now) for number in range(BATCH + 1)]
        await stage.store.write(fill)
        delivery = stage.delivery(**{"*": f"http://127.0.0.1:{collector.port}/"})
        assert [await delivery.deliver_due() for _ in range(3)] == [BATCH, 1, 0]
        assert collector.lines == [f'{{"n":{number}}}' for number in range(BATCH + 1)]

    play(work)
