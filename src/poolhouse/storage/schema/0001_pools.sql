-- Pools and what belongs to their configuration. Documents are JSON, never looked into by SQL.

CREATE TABLE pools (
    id {text} PRIMARY KEY,
    region {text} NOT NULL,
    builtin {int} NOT NULL,
    revision {int} NOT NULL,
    device_group_key {text} NOT NULL,
    settings {text} NOT NULL,
    mfa {text} NOT NULL
) {clustered};
CREATE INDEX pools_region ON pools (region, builtin, id);

-- One number per pool which every change of its configuration raises: what keeps the processes' caches true.
CREATE TABLE generations (
    pool_id {text} PRIMARY KEY,
    generation {int} NOT NULL
) {clustered};

-- Counters, spread over shards where many writers meet: "users:<pool>", "clients:<pool>", "pools:<region>", …
CREATE TABLE counts (
    name {text} NOT NULL,
    shard {int} NOT NULL,
    value {int} NOT NULL,
    PRIMARY KEY (name, shard)
) {clustered};

CREATE TABLE clients (
    id {text} PRIMARY KEY,
    pool_id {text} NOT NULL,
    revision {int} NOT NULL,
    srp {int} NOT NULL,
    settings {text} NOT NULL,
    secrets {text} NOT NULL
) {clustered};
CREATE INDEX clients_pool ON clients (pool_id, id);
CREATE INDEX clients_srp ON clients (pool_id, srp);

CREATE TABLE domains (
    name {text} PRIMARY KEY,
    pool_id {text} NOT NULL,
    custom {int} NOT NULL,
    description {text} NOT NULL
) {clustered};
CREATE INDEX domains_pool ON domains (pool_id);

CREATE TABLE resource_servers (
    pool_id {text} NOT NULL,
    identifier {text} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (pool_id, identifier)
) {clustered};

CREATE TABLE branding (
    pool_id {text} NOT NULL,
    id {text} NOT NULL,
    client_id {text} NOT NULL UNIQUE,
    document {text} NOT NULL,
    PRIMARY KEY (pool_id, id)
) {strict};

CREATE TABLE signing_keys (
    kid {text} PRIMARY KEY,
    pool_id {text},
    use {text} NOT NULL,
    state {text} NOT NULL,
    created_at {int} NOT NULL,
    sealed {blob} NOT NULL,
    public {text} NOT NULL,
    certificate {blob}
) {strict};
CREATE INDEX signing_keys_pool ON signing_keys (pool_id, created_at, kid);
CREATE INDEX signing_keys_state ON signing_keys (state, created_at, kid);

-- What was deleted but still has more rows than one request may remove; the sweeper finishes it.
CREATE TABLE doomed (
    kind {text} NOT NULL,
    id {text} NOT NULL,
    PRIMARY KEY (kind, id)
) {clustered};
