-- For the history and the replays of a customer. Appends wait while the index is built; without the notifications of
-- nobody in particular, which all existing ones are, that is the time to read the table.
CREATE INDEX notifications_of_customer ON notification (customer_id, seq) WHERE customer_id <> 'anonymous';
