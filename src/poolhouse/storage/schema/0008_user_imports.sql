-- User import jobs, their files and their logs.

CREATE TABLE user_import_jobs (
    id {text} PRIMARY KEY,
    pool_id {text} NOT NULL,
    name {text} NOT NULL,
    role_arn {text} NOT NULL,
    hashing {text},
    status {text} NOT NULL,
    created_at {int} NOT NULL,
    started_at {int},
    completed_at {int},
    message {text},
    imported {int} NOT NULL,
    skipped {int} NOT NULL,
    failed {int} NOT NULL,
    upload_id {text},
    size {int} NOT NULL,
    lines {int} NOT NULL,
    columns {text} NOT NULL,
    next_byte {int} NOT NULL,
    next_line {int} NOT NULL,
    revision {int} NOT NULL
) {strict};
CREATE INDEX user_import_jobs_pool ON user_import_jobs (pool_id, created_at, id);
CREATE INDEX user_import_jobs_status ON user_import_jobs (status, created_at);

-- The one job that is active, and the process that works on it until a time, unless it says so again. The key lets no
-- second row in.
CREATE TABLE user_import_turns (
    slot {int} PRIMARY KEY,
    job_id {text} NOT NULL,
    holder {text} NOT NULL,
    until {int} NOT NULL
) {strict};

-- Files, whole or on their way. What is left of one that nobody wants any more goes with a sweep.
CREATE TABLE user_import_files (
    id {text} PRIMARY KEY,
    pool_id {text} NOT NULL,
    job_id {text} NOT NULL,
    expires_at {int} NOT NULL
) {clustered};
CREATE INDEX user_import_files_pool ON user_import_files (pool_id);
CREATE INDEX user_import_files_job ON user_import_files (job_id);
CREATE INDEX user_import_files_expiry ON user_import_files (expires_at);

CREATE TABLE user_import_chunks (
    file_id {text} NOT NULL,
    number {int} NOT NULL,
    sealed {blob} NOT NULL,
    PRIMARY KEY (file_id, number)
) {strict};

-- What became of the rows: a document for each batch, from the line that it begins with.
CREATE TABLE user_import_log (
    pool_id {text} NOT NULL,
    job_id {text} NOT NULL,
    line {int} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (pool_id, job_id, line)
) {clustered};
