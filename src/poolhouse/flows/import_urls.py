"""Where the file of a user import job goes: a URL that proves by itself who made it (spec/api/08 §1)."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from poolhouse.core.import_jobs import ImportJob
from poolhouse.flows.calls import Deps

PATH = "/user-import/"
# As observed: a second less than 15 minutes.
SECONDS = 899
SIGNED_HEADERS = "host;x-amz-server-side-encryption"
DATE, EXPIRES, SIGNATURE = "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature"
_FORMAT = "%Y%m%dT%H%M%SZ"


class BadSignature(Exception):
    """A URL was not made by this installation."""


class UrlExpired(Exception):
    """A URL's time is over."""


def sign_url(deps: Deps, job: ImportJob) -> str:
    """Return the URL that a job's file is sent to, the same each time: its time runs from the job's creation."""
    date = datetime.fromtimestamp(job.created_at // 1000, UTC).strftime(_FORMAT)
    signature = _sign(deps, job.pool_id, job.id, date)
    query = f"{DATE}={date}&{EXPIRES}={SECONDS}&X-Amz-SignedHeaders={SIGNED_HEADERS}&{SIGNATURE}={signature}"
    return f"{deps.identity.public_url}{PATH}{job.pool_id}/{job.id}?{query.replace(';', '%3B')}"


def check_url(deps: Deps, path: str, query: Mapping[str, str], now: int) -> tuple[str, str]:
    """Return the ids of pool and job in a URL that is ours; raises BadSignature, UrlExpired."""
    pool_id, _, job_id = path.removeprefix(PATH).partition("/")
    date, given = query.get(DATE, ""), query.get(SIGNATURE, "")
    expected = _sign(deps, pool_id, job_id, date)
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass")):
        raise BadSignature
    if query.get(EXPIRES) != str(SECONDS):
        raise BadSignature
    began = datetime.strptime(date, _FORMAT).replace(tzinfo=UTC).timestamp()
    if now >= (began + SECONDS) * 1000:
        raise UrlExpired
    return pool_id, job_id


def _sign(deps: Deps, pool_id: str, job_id: str, date: str) -> str:
    return deps.sealer.digest("user-import-url", pool_id, job_id, date, str(SECONDS)).hex()
