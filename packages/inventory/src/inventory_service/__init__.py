"""The inventory service: owns the stock of products."""
