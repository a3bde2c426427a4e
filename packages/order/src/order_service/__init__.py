"""The order service: accepts orders over HTTP and announces them through an outbox."""
