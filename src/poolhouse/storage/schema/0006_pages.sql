-- What app clients show on their pages besides branding: terms documents, and the style of the classic pages.
-- A classic style of client "ALL" is that of the whole pool.

CREATE TABLE terms (
    pool_id {text} NOT NULL,
    id {text} NOT NULL,
    client_id {text} NOT NULL,
    name {text} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (pool_id, id)
) {clustered};
CREATE UNIQUE INDEX terms_client ON terms (client_id, name);

CREATE TABLE classic_styles (
    pool_id {text} NOT NULL,
    client_id {text} NOT NULL,
    css {text},
    logo {blob},
    created_at {int} NOT NULL,
    modified_at {int} NOT NULL,
    PRIMARY KEY (pool_id, client_id)
) {strict};
