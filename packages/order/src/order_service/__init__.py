"""The order service: takes orders over HTTP and announces them through an outbox."""
