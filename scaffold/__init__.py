"""Makes a service of the shape that all services have, and registers it: ``./run new NAME``."""
