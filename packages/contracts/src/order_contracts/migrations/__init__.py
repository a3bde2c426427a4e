"""How a change of an order becomes an event in the outbox; after `service_common.outbox.migrations`."""
