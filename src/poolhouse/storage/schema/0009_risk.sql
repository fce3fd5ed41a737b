-- Threat protection, and logs on their way out. A risk configuration of client "" is that of the whole pool.

CREATE TABLE risk_configurations (
    pool_id {text} NOT NULL,
    client_id {text} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (pool_id, client_id)
) {strict};

-- "response" decides if an event may still change; what a step found out last is in "document".
CREATE TABLE auth_events (
    id {text} PRIMARY KEY,
    pool_id {text} NOT NULL,
    user_id {int} NOT NULL,
    at {int} NOT NULL,
    expires_at {int} NOT NULL,
    response {text} NOT NULL,
    document {text} NOT NULL,
    feedback {text}
) {clustered};
CREATE INDEX auth_events_user ON auth_events (pool_id, user_id, at, id);
CREATE INDEX auth_events_expiry ON auth_events (expires_at);

CREATE TABLE log_deliveries (
    pool_id {text} PRIMARY KEY,
    document {text} NOT NULL
) {clustered};

-- Who sends a record moves its time on first, so that nobody else takes it meanwhile.
CREATE TABLE log_records (
    id {identity},
    destination {text} NOT NULL,
    due_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    document {text} NOT NULL
) {strict};
CREATE INDEX log_records_due ON log_records (destination, due_at, id);
CREATE INDEX log_records_expiry ON log_records (expires_at);
