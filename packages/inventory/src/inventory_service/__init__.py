"""The inventory service: owns the stock."""
