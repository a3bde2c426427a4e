"""The whole of Orderstream on one machine, without containers."""
