"""Applies the CloudFormation templates to the emulator: creates or updates a stack for each.

Runs in the emulator's own environment, after each of its starts: the emulator saves its resources on a graceful stop
and loses them when it is killed. In a container the emulator runs it (``ready.d``), without one `./run demo` does.
On AWS, apply the same templates with ``aws cloudformation deploy``.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import get_session

__all__ = ["apply", "supported"]

STACKS = {"orderstream": "template.yaml", "orderstream-alarms": "alarms.yaml"}
DEADLINE_S = 60.0
POLL_S = 0.05
_RESOURCE = re.compile(r"^  (\w+):\n(?:(?:   .*)?\n)+", re.MULTILINE)
# ministack 1.5.33: a template with one of these is refused altogether
_REFUSED = re.compile(
    r"^    Type: AWS::(?:CloudWatch::CompositeAlarm|Logs::QueryDefinition)$|^      Metrics:$", re.MULTILINE
)


def apply(cloudformation: Any, stack: str, template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Create or update the *stack* from *template* and return its final description.

    Raises:
        TimeoutError: the operation did not complete within a minute.
    """
    wanted = {
        "StackName": stack,
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
    return _final_description(cloudformation, stack)


def supported(template: str) -> tuple[str, list[str]]:
    """Return *template* without the resources that the emulator refuses, and their names."""
    refused = [match for match in _RESOURCE.finditer(template) if _REFUSED.search(match[0])]
    for match in refused:
        template = template.replace(match[0], "")
    return template, [match[1] for match in refused]


def _final_description(cloudformation: Any, stack: str) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        description: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not description["StackStatus"].endswith("_IN_PROGRESS"):
            return description
        time.sleep(POLL_S)
    raise TimeoutError(f"the stack {stack} did not complete its operation within {DEADLINE_S:.0f} s")


def main() -> int:
    """Apply the templates in the folder TEMPLATES to AWS_ENDPOINT_URL and print the outputs of the stacks, as JSON."""
    cloudformation = get_session().create_client("cloudformation", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    outputs: dict[str, str] = {}
    for stack, name in STACKS.items():
        template, left_out = supported((Path(os.environ["TEMPLATES"]) / name).read_text(encoding="utf-8"))
        if left_out:
            sys.stderr.write(f"stack {stack}, without what the emulator refuses: {', '.join(left_out)}\n")
        description = apply(cloudformation, stack, template, _parameters() if stack == "orderstream" else {})
        if description["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            reason = description.get("StackStatusReason", "")
            sys.stderr.write(f"stack {stack}: {description['StackStatus']}: {reason}\n")
            return 1
        outputs |= {each["OutputKey"]: each["OutputValue"] for each in description["Outputs"]}
    sys.stdout.write(json.dumps(outputs) + "\n")
    return 0


def _parameters() -> dict[str, str]:
    return {
        "SignInDomain": "orderstream",
        "PageUrls": os.environ["PAGE_URLS"],
        # the emulator leaves the groups out of renewed tokens: an operator would become a customer
        "AccessTokenMinutes": "1440",
    }


if __name__ == "__main__":
    sys.exit(main())
