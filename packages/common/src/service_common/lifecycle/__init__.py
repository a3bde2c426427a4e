"""Lifecycle of a process: supervised background tasks, and the readiness that depends on them.

`background` runs a task beside the requests, `Readiness` collects the checks that ``GET /health/ready`` reports.
"""

from __future__ import annotations

from .background_tasks import background
from .readiness import Readiness

__all__ = ["Readiness", "background"]
