-- What belongs to the installation and to no pool.

CREATE TABLE settings (
    name {text} PRIMARY KEY,
    value {blob} NOT NULL
) {clustered};

CREATE TABLE access_keys (
    id {text} PRIMARY KEY,
    name {text} NOT NULL,
    sealed_secret {blob} NOT NULL,
    created_at {int} NOT NULL,
    enabled {int} NOT NULL
) {clustered};

CREATE TABLE outbox (
    number {identity},
    recipient {text} NOT NULL,
    at {int} NOT NULL,
    document {text} NOT NULL
) {strict};
CREATE INDEX outbox_recipient ON outbox (recipient, number);
CREATE INDEX outbox_at ON outbox (at);
