"""The schema of the recorded events, one file a change."""
