"""The processing service: fulfils each order through a durable saga."""
