"""`python -m orderstream_command`: the same as `orderstream`."""

from __future__ import annotations

from .cli import orderstream

__all__ = ["main"]


def main() -> None:
    """Run the command of the command line; ends the process with its exit status."""
    orderstream(prog_name="orderstream")


if __name__ == "__main__":
    main()
