-- Users, and the index rows that follow from them. "names" holds the keys of a user's index rows, so that
-- saving need not look for them; "details" holds attributes and credentials.

CREATE TABLE users (
    id {identity},
    pool_id {text} NOT NULL,
    username {text} NOT NULL,
    sub {text} NOT NULL,
    status {text} NOT NULL,
    enabled {int} NOT NULL,
    created_at {int} NOT NULL,
    modified_at {int} NOT NULL,
    signed_out_at {int} NOT NULL,
    revision {int} NOT NULL,
    details {text} NOT NULL,
    names {text} NOT NULL
) {strict};
CREATE UNIQUE INDEX users_username ON users (pool_id, username);
CREATE UNIQUE INDEX users_sub ON users (pool_id, sub);

CREATE TABLE user_aliases (
    pool_id {text} NOT NULL,
    alias {text} NOT NULL,
    user_id {int} NOT NULL,
    PRIMARY KEY (pool_id, alias)
) {clustered};

CREATE TABLE user_search (
    pool_id {text} NOT NULL,
    attribute {text} NOT NULL,
    value {text} NOT NULL,
    username {text} NOT NULL,
    user_id {int} NOT NULL,
    PRIMARY KEY (pool_id, attribute, value, username)
) {clustered};
