"""The parts of the poller, each with one thing to keep right."""
