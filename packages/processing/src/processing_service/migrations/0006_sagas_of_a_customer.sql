-- For the sagas of a customer. Changes wait while the index is built; without the sagas of nobody in particular, which all
-- existing ones are, that is the time to read the table.
CREATE INDEX sagas_of_customer ON saga (customer_id, order_id, version) WHERE customer_id <> 'anonymous';
