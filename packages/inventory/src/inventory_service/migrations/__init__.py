"""The schema of the inventory, one file a change."""
