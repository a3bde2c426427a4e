-- Who may connect with a ticket, until when, and which connections are ended by an operator.

-- Only a digest: whoever reads the table can't use what is in it. token_expires_at is in seconds since 1970.
CREATE TABLE ticket (
    digest bytea PRIMARY KEY,
    subject text NOT NULL,
    kind text NOT NULL,
    roles text[] NOT NULL,
    token_expires_at double precision NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX ticket_of_subject ON ticket (subject, expires_at);

-- Numbered in commit order by the row of disconnection_head, which is locked until the commit: a replica that has read
-- up to a number misses none that commits later.
CREATE TABLE disconnection_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    head bigint NOT NULL DEFAULT 0
);

INSERT INTO disconnection_head DEFAULT VALUES;

CREATE TABLE disconnection (
    seq bigint PRIMARY KEY,
    customer_id text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
