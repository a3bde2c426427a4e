"""The schema of the sagas, one file a change."""
