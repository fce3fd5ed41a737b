-- What waits to be delivered in the background: messages, and events for functions. "sealed" holds codes and addresses.
-- Who makes a delivery moves its time on first, so that nobody else makes it meanwhile, and deletes it afterwards.
CREATE TABLE deliveries (
    id {identity},
    due_at {int} NOT NULL,
    attempts {int} NOT NULL,
    sealed {blob} NOT NULL
) {strict};
CREATE INDEX deliveries_due ON deliveries (due_at, id);
