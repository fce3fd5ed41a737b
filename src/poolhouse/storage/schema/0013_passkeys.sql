-- Passkeys of users. A credential belongs to one user of a pool. "sign_count" changes with every use; what never
-- changes is in "document".

CREATE TABLE passkeys (
    user_id {int} NOT NULL,
    credential_id {text} NOT NULL,
    pool_id {text} NOT NULL,
    created_at {int} NOT NULL,
    sign_count {int} NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (user_id, credential_id)
) {clustered};
CREATE UNIQUE INDEX passkeys_credential ON passkeys (pool_id, credential_id);

-- So many passkeys a user has: 0 spares a look.
ALTER TABLE users ADD COLUMN passkeys {int} NOT NULL DEFAULT 0;
