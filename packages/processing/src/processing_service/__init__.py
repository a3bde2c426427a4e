"""The processing service: fulfils each version of an order through a durable saga."""
