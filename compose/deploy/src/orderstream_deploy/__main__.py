"""`python -m orderstream_deploy`: what `./run deploy` runs."""

from __future__ import annotations

from .cli import deploy

__all__: list[str] = []

if __name__ == "__main__":
    deploy(prog_name="./run deploy")
