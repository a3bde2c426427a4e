"""JSON log lines to stdout and to CloudWatch Logs.

Each destination has a bounded buffer and a thread of its own: logging never blocks, and dropped lines are counted.
`configure_logging` installs it for the process.
"""

from __future__ import annotations

from .cloudwatch import CloudWatchOptions
from .log import LogPipeline, configure_logging

__all__ = ["CloudWatchOptions", "LogPipeline", "configure_logging"]
