"""`python -m orderstream_local demo`: the embedded system."""

from __future__ import annotations

import os
import signal
import sys

__all__: list[str] = []

INTERRUPTED = 130  # as a shell says it of SIGINT


def main() -> int:
    """Do what the command line asks for and return the exit status."""
    # until the demo listens to signals itself there is nothing to stop; the imports take a second of that
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from .command_line import parse  # noqa: PLC0415
    from .demo import demo  # noqa: PLC0415

    return demo(parse(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
