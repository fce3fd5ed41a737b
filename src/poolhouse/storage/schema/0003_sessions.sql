-- What sign-ins leave behind. Every table here has a time after which the sweeper may delete a row.

CREATE TABLE sessions (
    id {text} PRIMARY KEY,
    user_id {int} NOT NULL,
    client_id {text} NOT NULL,
    expires_at {int} NOT NULL,
    document {text} NOT NULL
) {clustered};
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_client ON sessions (client_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE authorization_codes (
    digest {blob} PRIMARY KEY,
    user_id {int} NOT NULL,
    expires_at {int} NOT NULL,
    session_id {text},
    document {text} NOT NULL
) {clustered};
CREATE INDEX authorization_codes_user ON authorization_codes (user_id);
CREATE INDEX authorization_codes_expiry ON authorization_codes (expires_at);

CREATE TABLE confirmation_codes (
    user_id {int} NOT NULL,
    purpose {text} NOT NULL,
    expires_at {int} NOT NULL,
    digest {blob} NOT NULL,
    attribute {text} NOT NULL,
    destination {text} NOT NULL,
    PRIMARY KEY (user_id, purpose)
) {clustered};
CREATE INDEX confirmation_codes_expiry ON confirmation_codes (expires_at);

CREATE TABLE attempts (
    name {text} PRIMARY KEY,
    expires_at {int} NOT NULL,
    count {int} NOT NULL,
    since {int} NOT NULL,
    locked_until {int} NOT NULL
) {clustered};
CREATE INDEX attempts_expiry ON attempts (expires_at);

CREATE TABLE nonces (
    nonce {text} PRIMARY KEY,
    expires_at {int} NOT NULL
) {clustered};
CREATE INDEX nonces_expiry ON nonces (expires_at);
