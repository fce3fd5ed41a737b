-- What threat protection holds a sign-in against: the user's latest events that passed, or that somebody judged. Failed
-- attempts lie between them, as many as an attacker makes; they are not to be read through.

CREATE INDEX auth_events_outcome ON auth_events (user_id, response, at);
CREATE INDEX auth_events_judged ON auth_events (user_id, at) WHERE feedback IS NOT NULL;
