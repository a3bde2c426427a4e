"""JSON log lines to stdout and to CloudWatch Logs.

Each destination has a bounded buffer and a thread of its own: logging never blocks, and dropped lines are counted.
`configure_logging` installs it for the process.
"""

from __future__ import annotations

from .log import LogPipeline, configure_logging
from .put_log_events import CloudWatchOptions

__all__ = ["CloudWatchOptions", "LogPipeline", "configure_logging"]
