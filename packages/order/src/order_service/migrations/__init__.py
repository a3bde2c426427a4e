"""The schema of the orders and what changes them, one file a change."""
