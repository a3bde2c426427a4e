"""The outbox table, for `service_common.postgres.migrate`."""

# what the package was called when these files were first applied
FORMER_NAMES = ("service_common.outbox_migrations",)
