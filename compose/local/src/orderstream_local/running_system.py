"""What the use cases need of the system that they run on."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from .sign_in import SignIn

__all__ = ["RunningSystem"]


class RunningSystem(Protocol):
    """The system as processes of `./run demo`, or in containers."""

    @property
    def aws_endpoint(self) -> str:
        """The URL of the emulator."""

    @property
    def emulator_data(self) -> Path:
        """The folder with what the emulator keeps."""

    @property
    def sign_in(self) -> SignIn | None:
        """Where people sign in; None when nobody has to."""

    def url(self, service: str) -> str:
        """Return the base URL of a service."""

    async def authorization(self, person: str) -> dict[str, str]:
        """Return the header of the requests of a person, who signs in anew; none when nobody has to."""
