"""SQL functions that write order events to the outbox; they require `service_common.outbox.migrations`."""
