-- The devices that users confirmed. A key that was given out but never confirmed is known to its token session alone.

CREATE TABLE devices (
    user_id {int} NOT NULL,
    key {text} NOT NULL,
    name {text},
    remembered {int} NOT NULL,
    salt {text},
    verifier {blob},
    created_at {int} NOT NULL,
    modified_at {int} NOT NULL,
    authenticated_at {int} NOT NULL,
    address {text} NOT NULL,
    PRIMARY KEY (user_id, key)
) {clustered};
