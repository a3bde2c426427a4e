"""What ends a deployment."""

from __future__ import annotations

__all__ = ["DeployError"]


class DeployError(Exception):
    """A step failed; the message says which and why."""
