"""Making, starting and stopping user import jobs (spec/api/08)."""

from poolhouse.core.import_jobs import MAX_JOBS, ImportJob, as_of, new_job_id, started, stopping
from poolhouse.flows.calls import AdminCall
from poolhouse.model import (
    CreateUserImportJobRequest,
    LimitExceededException,
    PreconditionNotMetException,
    ResourceNotFoundException,
    UserImportInProgressException,
)
from poolhouse.storage import Tx


async def create_job(call: AdminCall, request: CreateUserImportJobRequest) -> ImportJob:
    """Make a job that waits for its file.

    Raises ResourceNotFoundException, PreconditionNotMetException where the pool verifies nothing by itself,
    LimitExceededException.
    """
    job = ImportJob(
        id=new_job_id(call.deps.random.text),
        pool_id=request.user_pool_id,
        name=request.job_name,
        role_arn=request.cloud_watch_logs_role_arn,
        hashing=request.password_hashing_algorithm,
        created_at=call.now,
    )

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, request.user_pool_id)
        if not pool.auto_verified:
            raise PreconditionNotMetException(
                "The user pool must have at least one auto verified attribute to import users."
            )
        if tx.user_imports.count(pool.id) >= MAX_JOBS:
            raise LimitExceededException(f"A user pool can have at most {MAX_JOBS} user import jobs.")
        tx.user_imports.insert(job)

    await call.store.write(commit)
    return job


def get_job(call: AdminCall, tx: Tx, pool_id: str, job_id: str) -> ImportJob:
    """Return a job of a pool as it is now; raises ResourceNotFoundException."""
    call.pool(tx, pool_id)
    job = tx.user_imports.find(job_id)
    if job is None or job.pool_id != pool_id:
        raise ResourceNotFoundException(f"User import job {job_id} does not exist.")
    return as_of(job, call.now)


async def start_job(call: AdminCall, pool_id: str, job_id: str) -> ImportJob:
    """Let whichever process is free work on a job; raises PreconditionNotMetException, ResourceNotFoundException."""

    def commit(tx: Tx) -> ImportJob:
        job = started(get_job(call, tx, pool_id, job_id), call.now)
        assert job.upload_id is not None
        if not tx.user_imports.begin_turn(job.id):
            raise PreconditionNotMetException("Another user import job is active; only one can be at a time.")
        tx.user_import_files.drop_others(job.id, job.upload_id)
        tx.user_import_files.keep(job.upload_id)
        tx.user_imports.save(job)
        return job

    return await call.store.write(commit)


async def stop_job(call: AdminCall, pool_id: str, job_id: str) -> ImportJob:
    """Have a job end before its next batch; raises PreconditionNotMetException, ResourceNotFoundException."""

    def commit(tx: Tx) -> ImportJob:
        job = stopping(get_job(call, tx, pool_id, job_id))
        tx.user_imports.save(job)
        return job

    return await call.store.write(commit)


def check_no_import(tx: Tx, pool_id: str) -> None:
    """Check that no job is importing users into a pool; raises UserImportInProgressException (spec/api/08 §2)."""
    active = tx.user_imports.active()
    job = None if active is None else tx.user_imports.find(active[0])
    if job is not None and job.pool_id == pool_id:
        raise UserImportInProgressException("A user import job is in progress for the user pool.")
