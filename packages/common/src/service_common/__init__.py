"""The toolkit of the Orderstream services."""
