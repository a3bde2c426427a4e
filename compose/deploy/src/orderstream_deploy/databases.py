"""Runs the task that makes the databases and their roles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .errors import DeployError

__all__ = ["make_databases"]

POLL_S = 3.0
DEADLINE_S = 600.0


def make_databases(ecs: Any, outputs: Mapping[str, str], *, poll_s: float = POLL_S) -> None:
    """Run the task and wait for its end; it may have run before.

    Raises:
        DeployError: it could not be started, failed, or did not end within ten minutes.
    """
    answer = ecs.run_task(
        cluster=outputs["ClusterArn"],
        taskDefinition=outputs["DatabasesTask"],
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": outputs["PrivateSubnets"].split(","),
                "securityGroups": [outputs["TaskGroup"]],
                "assignPublicIp": "DISABLED",
            }
        },
    )
    if answer.get("failures"):
        raise DeployError(f"ECS can't start the task that makes the databases: {answer['failures'][0].get('reason')}")
    arn = answer["tasks"][0]["taskArn"]
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        [task] = ecs.describe_tasks(cluster=outputs["ClusterArn"], tasks=[arn])["tasks"]
        if task["lastStatus"] == "STOPPED":
            [container] = task["containers"]
            if container.get("exitCode") == 0:
                return
            reason = container.get("reason") or task.get("stoppedReason") or f"status {container.get('exitCode')}"
            raise DeployError(f"the databases were not made: {reason}; see the log group that ends with databases-logs")
        time.sleep(poll_s)
    raise DeployError(f"the task {arn} did not end within {DEADLINE_S:.0f} s")
