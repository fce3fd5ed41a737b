"""The pre-signed URL of a user import job (spec/api/08 §1)."""

import http.client
import re
from urllib.parse import urlsplit

from poolhouse.core.import_jobs import MAX_FILE
from poolhouse.flows.import_files import CHUNK
from tests.csv_files import TEMPLATE, counts, create, people, person, put, start, sweep, wait
from tests.operations.talk import refusal

MAIL = {"AutoVerifiedAttributes": ["email"]}


def code_of(answer: tuple[int, str]) -> tuple[int, str]:
    """Status and code of S3's error body."""
    status, body = answer
    found = re.fullmatch(
        r'<\?xml version="1\.0" encoding="UTF-8"\?>\n<Error><Code>(\w+)</Code><Message>[^<]+</Message>'
        r"<RequestId>[^<]+</RequestId></Error>",
        body,
    )
    assert found is not None, body
    return status, found[1]


def file_ids(server, job) -> list[str]:
    """The files that a job has, whole or on their way."""
    return [
        id
        for (id,) in server.read(
            lambda tx: tx._connection.rows("SELECT id FROM user_import_files WHERE job_id = :id", id=job["JobId"])
        )
    ]


def open_upload(url: str, length: int) -> http.client.HTTPConnection:
    """Begin to send a file of a length."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    return connection


def test_the_url_looks_like_one_of_s3(call, server, pool):
    """It is below the public URL and names pool and job, its date, its time and a signature."""
    pool_id = pool(**MAIL)
    job = create(call, pool_id)

    assert re.fullmatch(
        re.escape(f"{server.url}/user-import/{pool_id}/{job['JobId']}") + r"\?X-Amz-Date=\d{8}T\d{6}Z&X-Amz-Expires=899"
        r"&X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption&X-Amz-Signature=[0-9a-f]{64}",
        job["PreSignedUrl"],
    )


def test_only_its_own_url_takes_a_file(call, pool):
    """A URL that was altered in any part is refused, and so is every other method."""
    job, other = create(call, pool(**MAIL)), create(call, pool(**MAIL))
    url = job["PreSignedUrl"]
    signature = url.rpartition("=")[2]

    for altered in (
        url.replace(job["JobId"], other["JobId"]),
        url.replace(job["UserPoolId"], other["UserPoolId"]),
        re.sub(r"Date=\d{4}", "Date=2099", url),
        url.replace("Expires=899", "Expires=89900"),
        url.replace(signature, "0" * 64),
        url.replace(signature, ""),
        url.replace(signature, "%F0%9F%94%91"),
        url.partition("?")[0],
    ):
        assert code_of(put(altered, b"x")) == (403, "SignatureDoesNotMatch")
    parts = urlsplit(url)
    for method in ("GET", "POST", "DELETE"):
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        connection.request(method, f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        assert code_of((answer.status, answer.read().decode())) == (405, "MethodNotAllowed")
        connection.close()
    assert refusal(call, "StartUserImportJob", UserPoolId=job["UserPoolId"], JobId=job["JobId"])[0] == (
        "PreconditionNotMetException"
    )


def test_the_url_is_good_for_fifteen_minutes(call, server, pool):
    """It takes a file a minute before they are over, and none afterwards."""
    job = create(call, pool(**MAIL))
    server.clock.advance(14 * 60)

    assert put(job["PreSignedUrl"], b"x") == (200, "")
    server.clock.advance(60)
    assert code_of(put(job["PreSignedUrl"], b"x")) == (403, "AccessDenied")


def test_a_file_may_come_in_pieces_without_a_length(call, server, pool):
    """A chunked upload counts as any other; a later one takes its place, and rows may span stored chunks."""
    job = create(call, pool(**MAIL))
    parts = urlsplit(job["PreSignedUrl"])
    assert put(job["PreSignedUrl"], b"not this one") == (200, "")
    body = TEMPLATE.encode() + b"\r\n"
    number = 0
    while len(body) < 2 * CHUNK + 100:
        body += person(f"p{number}", name="N" * 1500, email=f"p{number}@example.com").encode() + b"\r\n"
        number += 1
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    pieces = [body[at : at + 10_007] for at in range(0, len(body), 10_007)]
    connection.request("PUT", f"{parts.path}?{parts.query}", iter(pieces), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    assert connection.getresponse().status == 200
    connection.close()
    assert len(file_ids(server, job)) == 1

    start(call, job)

    assert counts(wait(call, job)) == ("Succeeded", number, 0, 0)
    assert file_ids(server, job) == []


def test_too_large_a_file_is_refused(call, server, pool, monkeypatch):
    """More than 100 MB are refused, by what the request says of itself or once so much came; nothing stays of it."""
    job = create(call, pool(**MAIL))
    connection = open_upload(job["PreSignedUrl"], MAX_FILE + 1)
    answer = connection.getresponse()
    assert code_of((answer.status, answer.read().decode())) == (400, "EntityTooLarge")
    connection.close()
    # The same rule for what says nothing, without sending so much.
    monkeypatch.setattr("poolhouse.flows.import_files.MAX_FILE", CHUNK)
    assert put(job["PreSignedUrl"], b"x" * CHUNK) == (200, "")
    assert code_of(put(job["PreSignedUrl"], b"x" * (CHUNK + 1))) == (400, "EntityTooLarge")
    assert len(file_ids(server, job)) == 1


def test_a_broken_upload_leaves_nothing(call, server, pool):
    """Where the client goes away, or begins again, what came so far is dropped and the job still waits."""
    job = create(call, pool(**MAIL))
    first = open_upload(job["PreSignedUrl"], 2 * CHUNK)
    first.send(b"x" * CHUNK)
    while not file_ids(server, job):
        pass

    assert put(job["PreSignedUrl"], people(3)) == (200, "")

    first.send(b"x" * CHUNK)
    answer = first.getresponse()
    assert code_of((answer.status, answer.read().decode())) == (409, "OperationAborted")
    first.close()
    second = open_upload(job["PreSignedUrl"], 2 * CHUNK)
    second.send(b"x" * CHUNK)
    while len(file_ids(server, job)) < 2:
        pass
    second.close()
    while len(file_ids(server, job)) > 1:
        pass
    start(call, job)
    assert counts(wait(call, job)) == ("Succeeded", 3, 0, 0)


def test_a_file_is_sealed(call, server, pool):
    """Nothing of a file can be read in the database, and all of it goes when the job has ended."""
    job = create(call, pool(**MAIL))
    put(job["PreSignedUrl"], people(1).replace(b"Name 0", b"Secret Name"))
    [file_id] = file_ids(server, job)
    sealed = server.read(lambda tx: tx.user_import_files.find_chunk(file_id, 0))
    assert b"Secret" not in sealed

    start(call, job)
    wait(call, job)

    sweep(server)
    assert server.read(lambda tx: tx.user_import_files.find_chunk(file_id, 0)) is None
