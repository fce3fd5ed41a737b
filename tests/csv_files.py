"""CSV files of user import jobs, and the way of a file through a job."""

import time
import urllib.error
import urllib.request
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/logs"
TEMPLATE = (
    "cognito:username,name,given_name,family_name,middle_name,nickname,preferred_username,profile,picture,website,"
    "email,email_verified,gender,birthdate,zoneinfo,locale,phone_number,phone_number_verified,address,updated_at,"
    "cognito:mfa_enabled"
)
OVER = {"Succeeded", "Failed", "Stopped", "Expired"}


def row(header: str = TEMPLATE, /, **values: str) -> str:
    """A line with these values; ``cognito_username`` and ``custom_x`` stand for names with a colon."""
    named = {key.replace("cognito_", "cognito:").replace("custom_", "custom:"): value for key, value in values.items()}
    columns = header.split(",")
    assert set(named) <= set(columns), set(named) - set(columns)
    return ",".join(named.get(column, "") for column in columns)


def person(name: str, header: str = TEMPLATE, /, **values: str) -> str:
    """A line of somebody with a verified address."""
    usual = {
        "cognito_username": name,
        "cognito_mfa_enabled": "FALSE",
        "email": f"{name}@example.com",
        "email_verified": "TRUE",
    }
    return row(header, **usual | values)


def people(count: int, start: int = 0) -> bytes:
    """A file of many."""
    lines = [TEMPLATE]
    lines += [f"u{n:07},Name {n},,,,,,,,,u{n}@example.com,true,,,,,,,,,false" for n in range(start, start + count)]
    return ("\n".join(lines) + "\n").encode()


def put(url: str, body: bytes, **headers: str) -> tuple[int, str]:
    """Send a file as the documentation says; give status and body."""
    sent = {"x-amz-server-side-encryption": "aws:kms", "Content-Type": "text/csv"} | headers
    request = urllib.request.Request(url, body, sent, method="PUT")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def create(call: Any, pool_id: str, name: str = "job", **members: Any) -> dict[str, Any]:
    """Make a job."""
    made = call("CreateUserImportJob", JobName=name, UserPoolId=pool_id, CloudWatchLogsRoleArn=ROLE, **members)
    return made["UserImportJob"]


def wait(call: Any, job: dict[str, Any], until: set[str] = OVER, seconds: float = 60) -> dict[str, Any]:
    """Wait until a job has a status; give the job."""
    deadline = time.monotonic() + seconds
    while True:
        shown = call("DescribeUserImportJob", UserPoolId=job["UserPoolId"], JobId=job["JobId"])["UserImportJob"]
        if shown["Status"] in until:
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)


def start(call: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Start a job whose file is there."""
    return call("StartUserImportJob", UserPoolId=job["UserPoolId"], JobId=job["JobId"])["UserImportJob"]


def bring(call: Any, pool_id: str, body: bytes | str, **members: Any) -> dict[str, Any]:
    """Import a file; give the job at its end."""
    job = create(call, pool_id, **members)
    assert put(job["PreSignedUrl"], body.encode() if isinstance(body, str) else body) == (200, "")
    start(call, job)
    return wait(call, job)


def counts(job: dict[str, Any]) -> tuple[str, int, int, int]:
    """The status and the numbers of a job: imported, skipped, failed."""
    return job["Status"], job["ImportedUsers"], job["SkippedUsers"], job["FailedUsers"]


def sweep(server: Any) -> None:
    """Sweep until nothing is left to sweep."""
    while server.write(lambda tx: tx.sweep(server.clock.now(), 1000)):
        pass
