"""User import jobs (spec/api/08)."""

from poolhouse.api.registry import operation
from poolhouse.core.import_csv import header_of
from poolhouse.core.import_jobs import ImportJob, as_of, describe
from poolhouse.core.paging import binding
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.import_jobs import create_job, get_job, start_job, stop_job
from poolhouse.flows.import_urls import sign_url
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.model import (
    CreateUserImportJobRequest,
    CreateUserImportJobResponse,
    DescribeUserImportJobRequest,
    DescribeUserImportJobResponse,
    GetCSVHeaderRequest,
    GetCSVHeaderResponse,
    ListUserImportJobsRequest,
    ListUserImportJobsResponse,
    StartUserImportJobRequest,
    StartUserImportJobResponse,
    StopUserImportJobRequest,
    StopUserImportJobResponse,
    UserImportJobType,
)
from poolhouse.storage import Tx


@operation
async def get_csv_header(call: AdminCall, request: GetCSVHeaderRequest) -> GetCSVHeaderResponse:
    """Return the columns of a pool's import files.

    The column of password hashes, ``cognito:password_hash``, is not among them: it is for jobs that name an algorithm.
    """
    pool = await call.store.read(lambda tx: call.pool(tx, request.user_pool_id))
    return GetCSVHeaderResponse(user_pool_id=pool.id, csv_header=header_of(pool))


@operation
async def create_user_import_job(call: AdminCall, request: CreateUserImportJobRequest) -> CreateUserImportJobResponse:
    """Make a user import job and the URL that its file is sent to.

    Differs from Cognito: the URL is one of this server and takes the file with or without the header
    ``x-amz-server-side-encryption``. There is no CloudWatch: CloudWatchLogsRoleArn is kept and shown, and the log is
    in the database, see ``poolhouse imports log``. Password hashes come in the column ``cognito:password_hash``,
    whose name Cognito does not document, in the usual encodings and with bounded costs.
    """
    return CreateUserImportJobResponse(user_import_job=_described(call, await create_job(call, request)))


@operation
async def start_user_import_job(call: AdminCall, request: StartUserImportJobRequest) -> StartUserImportJobResponse:
    """Begin to import the users of an uploaded file, in the background; one job of the installation at a time."""
    job = await start_job(call, request.user_pool_id, request.job_id)
    return StartUserImportJobResponse(user_import_job=_described(call, job))


@operation
async def stop_user_import_job(call: AdminCall, request: StopUserImportJobRequest) -> StopUserImportJobResponse:
    """End a job early; the users that were imported stay."""
    job = await stop_job(call, request.user_pool_id, request.job_id)
    return StopUserImportJobResponse(user_import_job=_described(call, job))


@operation
async def describe_user_import_job(
    call: AdminCall, request: DescribeUserImportJobRequest
) -> DescribeUserImportJobResponse:
    """Return a job and how far it has come."""
    job = await call.store.read(lambda tx: get_job(call, tx, request.user_pool_id, request.job_id))
    return DescribeUserImportJobResponse(user_import_job=_described(call, job))


@operation
async def list_user_import_jobs(call: AdminCall, request: ListUserImportJobsRequest) -> ListUserImportJobsResponse:
    """Return the jobs of a pool, newest first."""
    bound = binding("ListUserImportJobs", request.user_pool_id)
    place = open_place(call, bound, request.pagination_token)
    before = (int(place[0]), place[1]) if place else None
    limit = request.max_results

    def load(tx: Tx) -> list[ImportJob]:
        pool = call.pool(tx, request.user_pool_id)
        return tx.user_imports.page(pool.id, before=before, limit=limit + 1)

    jobs = await call.store.read(load)
    page = jobs[:limit]
    return ListUserImportJobsResponse(
        user_import_jobs=[_described(call, as_of(job, call.now)) for job in page],
        pagination_token=(
            seal_place(call, bound, str(page[-1].created_at), page[-1].id) if len(jobs) > limit else None
        ),
    )


def _described(call: AdminCall, job: ImportJob) -> UserImportJobType:
    return describe(job, sign_url(call.deps, job))
