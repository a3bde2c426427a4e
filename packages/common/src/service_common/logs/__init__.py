"""JSON log lines to stdout and to CloudWatch Logs.

Both ways out are bounded queues with a thread of their own: logging never blocks, and what is dropped is counted.
`configure_logging` installs it for the process.
"""

from __future__ import annotations

from .cloudwatch import CloudWatchOptions
from .log import LogPipeline, configure_logging

__all__ = ["CloudWatchOptions", "LogPipeline", "configure_logging"]
