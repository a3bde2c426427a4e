"""`python -m orderstream_local demo`: the embedded system."""

from __future__ import annotations

import os
import signal
import sys

__all__: list[str] = []

INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def main() -> int:
    """Run the command of the command line and return the exit status."""
    # until the demo installs its own signal handlers nothing runs that has to be stopped; the imports take a second
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from .command_line import parse  # noqa: PLC0415
    from .demo import demo  # noqa: PLC0415

    return demo(parse(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
