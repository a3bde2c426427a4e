"""Lifecycle of a process: supervised background tasks, and the readiness that depends on them.

`background` runs a task beside the requests and starts it again when it dies, `Readiness` collects the checks that
``GET /health/ready`` reports, `Measurements` logs them with the metrics, `Retention` deletes what has expired.
`uncancelled` and `log_death` are for the tasks inside of a task.
"""

from __future__ import annotations

from .background_tasks import background, log_death, uncancelled
from .measurements import Measurements
from .readiness import Readiness
from .retention import Retention

__all__ = ["Measurements", "Readiness", "Retention", "background", "log_death", "uncancelled"]
