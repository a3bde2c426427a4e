"""Applies the CloudFormation template to the emulator: creates or updates the stack.

Runs in the emulator's own environment, after each of its starts: the emulator saves its resources on a graceful stop
and loses them when it is killed. In a container the emulator runs it (``ready.d``), without one `./run demo` does.
On AWS, apply the same template with ``aws cloudformation deploy``.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import get_session

__all__ = ["apply"]

STACK = "orderstream"
DEADLINE_S = 60.0
POLL_S = 0.05


def apply(cloudformation: Any, template: str) -> str:
    """Create or update the stack from *template* and return its final status.

    Raises:
        TimeoutError: the operation did not complete within a minute.
    """
    wanted = {"StackName": STACK, "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]}
    try:
        cloudformation.create_stack(**wanted)
    except cloudformation.exceptions.AlreadyExistsException:
        try:
            cloudformation.update_stack(**wanted)
        except ClientError as error:
            if "No updates" not in str(error):
                raise
    return _final_status(cloudformation)


def _final_status(cloudformation: Any) -> str:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        status = str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(POLL_S)
    raise TimeoutError(f"the stack {STACK} did not complete its operation within {DEADLINE_S:.0f} s")


def main() -> int:
    """Apply the file TEMPLATE to AWS_ENDPOINT_URL."""
    cloudformation = get_session().create_client("cloudformation", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    status = apply(cloudformation, Path(os.environ["TEMPLATE"]).read_text(encoding="utf-8"))
    sys.stdout.write(f"stack {STACK}: {status}\n")
    return 0 if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} else 1


if __name__ == "__main__":
    sys.exit(main())
