"""The stack of a stage: its changes are shown before they are made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .errors import DeployError

__all__ = ["POLL_S", "Change", "Stack"]

POLL_S = 5.0
DEADLINE_S = 7200.0
# of which a replacement or removal loses what is in them
_HOLDS_DATA = frozenset(
    {
        "AWS::RDS::DBInstance",
        "AWS::SQS::Queue",
        "AWS::Cognito::UserPool",
        "AWS::SecretsManager::Secret",
        "AWS::Logs::LogGroup",
    }
)
_NOTHING = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class Change:
    """What a change set does to a resource.

    Attributes:
        action: Add, Modify, Remove.
        replaced: whether another takes its place: True, False, Conditional.
    """

    stack: str
    action: str
    name: str
    kind: str
    replaced: str

    @property
    def loses_data(self) -> bool:
        """Whether what the resource holds may be lost."""
        return self.kind in _HOLDS_DATA and (self.action == "Remove" or self.replaced != "False")

    def __str__(self) -> str:
        """One line for a person."""
        replaced = {"True": ", replaced", "Conditional": ", perhaps replaced"}.get(self.replaced, "")
        warning = "  ! data" if self.loses_data else ""
        return f"{self.action:<7}{self.stack}/{self.name} ({self.kind}{replaced}){warning}"


class Stack:
    """A stack with the nested ones in it."""

    def __init__(self, cloudformation: Any, name: str, *, poll_s: float = POLL_S) -> None:
        self._cloudformation = cloudformation
        self.name = name
        self._poll_s = poll_s

    def description(self) -> dict[str, Any] | None:
        """Return what CloudFormation says of it, None when there is none."""
        try:
            found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def parameters(self) -> dict[str, str]:
        """Return its parameters, none when there is no stack, or one whose creation was declined."""
        found = self.description() or {}
        if found.get("StackStatus") == "REVIEW_IN_PROGRESS":
            return {}
        return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", ())}

    def outputs(self) -> dict[str, str]:
        """Return its outputs."""
        found = self.description() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}

    def deploy(self, template_url: str, parameters: Mapping[str, str], agree: Callable[[list[Change]], bool]) -> bool:
        """Create or update the stack with *parameters*, the others as they are; return whether anything changed.

        Raises:
            DeployError: a person did not *agree*, or the stack went back to what it was.
        """
        before = self.parameters()
        given: list[dict[str, object]] = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ]
        given += [{"ParameterKey": name, "UsePreviousValue": True} for name in before if name not in parameters]
        name = f"deploy-{time.time_ns()}"
        self._cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if before else "CREATE",
            TemplateURL=template_url,
            Parameters=given,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            IncludeNestedStacks=True,
        )
        if not self._is_created(name):
            self._cloudformation.delete_change_set(StackName=self.name, ChangeSetName=name)
            return False
        changes = list(self._changes(self.name, name))
        if not changes:
            return False
        if not agree(changes):
            self._cloudformation.delete_change_set(StackName=self.name, ChangeSetName=name)
            raise DeployError("declined; nothing was changed")
        self._cloudformation.execute_change_set(StackName=self.name, ChangeSetName=name)
        self._wait({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
        return True

    def delete(self) -> None:
        """Delete the stack.

        Raises:
            DeployError: something in it can't be deleted.
        """
        self._cloudformation.delete_stack(StackName=self.name)
        self._wait({None})

    def _is_created(self, change_set: str) -> bool:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            found = self._cloudformation.describe_change_set(StackName=self.name, ChangeSetName=change_set)
            if found["Status"] == "CREATE_COMPLETE":
                return True
            if found["Status"] == "FAILED":
                reason = found.get("StatusReason", "")
                if any(each in reason for each in _NOTHING):
                    return False
                raise DeployError(f"CloudFormation refuses the change: {reason}")
            time.sleep(self._poll_s)
        raise DeployError("CloudFormation did not work out the changes in time")

    def _changes(self, stack: str, change_set: str) -> Iterator[Change]:
        pages = self._cloudformation.get_paginator("describe_change_set")
        for page in pages.paginate(StackName=stack, ChangeSetName=change_set):
            for each in (found["ResourceChange"] for found in page["Changes"]):
                if inner := each.get("ChangeSetId"):
                    yield from self._changes(each["PhysicalResourceId"], inner)
                yield Change(
                    each.get("PhysicalResourceId", stack) if inner else stack,
                    each["Action"],
                    each["LogicalResourceId"],
                    each["ResourceType"],
                    each.get("Replacement", "False"),
                )

    def _wait(self, wanted: set[str | None]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            found = self.description()
            status = found["StackStatus"] if found else None
            if status in wanted:
                return
            if status is None or not status.endswith("_IN_PROGRESS"):
                raise DeployError(f"the stack {self.name} is {status}: {self._reason()}")
            time.sleep(self._poll_s)
        raise DeployError(f"the stack {self.name} did not complete its operation within {DEADLINE_S:.0f} s")

    def _reason(self) -> str:
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
        return "; ".join(f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed[:3])
