-- Session tracking. What a pool and a client are set to, and what is known of a tracked session: by whom, when last
-- and from where. "tracked_user" repeats the user where the session is tracked, so that only these are in the index.

ALTER TABLE pools ADD COLUMN sessions {text};
ALTER TABLE clients ADD COLUMN sso_minutes {int} NOT NULL DEFAULT 60;
ALTER TABLE sessions ADD COLUMN tracked_user {int};
ALTER TABLE sessions ADD COLUMN active_at {int};
ALTER TABLE sessions ADD COLUMN device {text};
ALTER TABLE sessions ADD COLUMN address {text};
CREATE INDEX sessions_tracked ON sessions (tracked_user) WHERE tracked_user IS NOT NULL;

-- Rises with each tracked sign-in: sign-ins of one user at the same time write it, and so take turns.
ALTER TABLE users ADD COLUMN turns {int} NOT NULL DEFAULT 0;

CREATE TABLE sso_sessions (
    id {text} PRIMARY KEY,
    user_id {int} NOT NULL,
    client_id {text} NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    active_at {int} NOT NULL,
    device {text} NOT NULL,
    address {text} NOT NULL
) {clustered};
CREATE INDEX sso_sessions_user ON sso_sessions (user_id);
CREATE INDEX sso_sessions_expiry ON sso_sessions (expires_at);
