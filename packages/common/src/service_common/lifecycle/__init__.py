"""The life of a process: background tasks that are watched, and the readiness that they decide.

`background` runs a task beside the requests, `Readiness` collects the checks that ``GET /health/ready`` reports.
"""

from __future__ import annotations

from .background_tasks import background
from .readiness import Readiness

__all__ = ["Readiness", "background"]
