"""Applies the CloudFormation template to the emulator: creates or updates the stack.

Runs in the emulator's own environment, after each of its starts: the emulator saves its resources on a graceful stop
and loses them when it is killed. In a container the emulator runs it (``ready.d``), without one `./run demo` does.
On AWS, apply the same template with ``aws cloudformation deploy``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import get_session

__all__ = ["apply"]

STACK = "orderstream"
DEADLINE_S = 60.0
POLL_S = 0.05


def apply(cloudformation: Any, template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Create or update the stack from *template* and return its final description.

    Raises:
        TimeoutError: the operation did not complete within a minute.
    """
    wanted = {
        "StackName": STACK,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    try:
        cloudformation.create_stack(**wanted)
    except cloudformation.exceptions.AlreadyExistsException:
        try:
            cloudformation.update_stack(**wanted)
        except ClientError as error:
            if "No updates" not in str(error):
                raise
    return _final_description(cloudformation)


def _final_description(cloudformation: Any) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(POLL_S)
    raise TimeoutError(f"the stack {STACK} did not complete its operation within {DEADLINE_S:.0f} s")


def main() -> int:
    """Apply the file TEMPLATE to AWS_ENDPOINT_URL and print the outputs of the stack, as JSON."""
    cloudformation = get_session().create_client("cloudformation", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    parameters = {
        "SignInDomain": STACK,
        "PageUrls": os.environ["PAGE_URLS"],
        # the emulator leaves the groups out of renewed tokens: an operator would become a customer
        "AccessTokenMinutes": "1440",
    }
    stack = apply(cloudformation, Path(os.environ["TEMPLATE"]).read_text(encoding="utf-8"), parameters)
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        sys.stderr.write(f"stack {STACK}: {stack['StackStatus']}: {stack.get('StackStatusReason', '')}\n")
        return 1
    sys.stdout.write(json.dumps({each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
