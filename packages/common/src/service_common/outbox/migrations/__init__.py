"""The outbox table, for `service_common.postgres.migrate`."""
