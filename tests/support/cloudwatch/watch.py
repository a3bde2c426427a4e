"""CloudWatch with the resources of compose/aws/alarms.yaml: lines and metrics of queues in, states of alarms out."""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.cloudwatch.alarm_state import State, evaluation_range, rings, state
from tests.support.cloudwatch.filter_pattern import LogLine, Matches, pattern, value_of
from tests.support.cloudwatch.metric_math import evaluate

__all__ = ["Alarm", "CloudWatch", "Template"]

MINUTE_S = 60
_STATISTICS: Mapping[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}
_THRESHOLDS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}

# namespace, metric, queue (empty for none)
MetricKey = tuple[str, str, str]


class Template:
    """A template with the default of each parameter; a reference to a resource is its logical id."""

    def __init__(self, document: Mapping[str, Any], **parameters: object) -> None:
        defaults = {name: each["Default"] for name, each in document["Parameters"].items()}
        self._parameters = {**defaults, **parameters}
        self._conditions = document.get("Conditions", {})
        self._resources = document["Resources"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of each resource of a type whose condition holds."""
        return {
            name: self.resolved(each["Properties"])
            for name, each in self._resources.items()
            if each["Type"] == kind and self._holds(each.get("Condition"))
        }

    def resolved(self, node: Any) -> Any:
        """Return a value with its intrinsic functions carried out."""
        match node:
            case {"Ref": name}:
                return self._parameters.get(name, name)
            case {"Sub": text}:
                return re.sub(r"\$\{([\w:]+)\}", lambda match: str(self.resolved({"Ref": match[1]})), text)
            case {"Join": [separator, parts]}:
                return separator.join(map(self.resolved, parts))
            case {"If": [condition, then, otherwise]}:
                return self.resolved(then if self._holds(condition) else otherwise)
        if isinstance(node, dict):
            return {name: self.resolved(value) for name, value in node.items()}
        return [self.resolved(value) for value in node] if isinstance(node, list) else node

    def _holds(self, condition: str | None) -> bool:
        if condition is None:
            return True
        left, right = map(self.resolved, self._conditions[condition]["Not"][0]["Equals"])
        return bool(left != right)


@dataclass(frozen=True, slots=True)
class _Filter:
    group: str
    matches: Matches
    metric: MetricKey
    value: str
    default: float | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A metric alarm: `value` is that of its metric, or of its expression, in the period that ends with a minute."""

    properties: Mapping[str, Any]

    def value(self, data: Callable[[MetricKey, int, int, str], float | None], minute: int) -> float | None:
        """Return the alarm's data point; *data* has the statistics of metrics."""
        if "Metrics" not in self.properties:
            return data(
                _key(self.properties), self.properties["Period"] // MINUTE_S, minute, self.properties["Statistic"]
            )
        values: dict[str, float | None] = {}
        expression = ""
        for each in self.properties["Metrics"]:
            if "Expression" in each:
                expression = each["Expression"]
            else:
                stat = each["MetricStat"]
                values[each["Id"]] = data(_key(stat["Metric"]), stat["Period"] // MINUTE_S, minute, stat["Stat"])
        return evaluate(expression, values)

    def breaches(self, value: float | None) -> bool | None:
        """Return whether a data point is beyond the threshold."""
        if value is None:
            return None
        return bool(_THRESHOLDS[self.properties["ComparisonOperator"]](value, self.properties["Threshold"]))

    def state(self, points: list[bool | None], before: State) -> State:
        """Return the state after these data points."""
        periods = self.properties["EvaluationPeriods"]
        return state(
            points,
            periods=periods,
            to_alarm=self.properties["DatapointsToAlarm"],
            missing=self.properties["TreatMissingData"],
            before=before,
        )


@dataclass(slots=True)
class CloudWatch:
    """Metric filters, metrics and alarms of a template; fill it, then ask for the history of the alarms."""

    template: Template
    _values: dict[MetricKey, dict[int, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _ingested: set[tuple[str, int]] = field(default_factory=set)
    _matched: set[tuple[int, int]] = field(default_factory=set)
    _filters: list[_Filter] = field(default_factory=list)

    def __post_init__(self) -> None:
        for each in self.template.of_type("AWS::Logs::MetricFilter").values():
            for to in each["MetricTransformations"]:
                key = (to["MetricNamespace"], to["MetricName"], "")
                found = pattern(each["FilterPattern"])
                self._filters.append(
                    _Filter(each["LogGroupName"], found, key, to["MetricValue"], to.get("DefaultValue"))
                )

    def ingest(self, group: str, text: str | bytes, at_s: float) -> None:
        """Take a line of a log group."""
        line, minute = LogLine(text), int(at_s // MINUTE_S)
        self._ingested.add((group, minute))
        for number, each in enumerate(self._filters):
            if each.group == group and each.matches(line):
                value = value_of(each.value, line) if each.value.startswith("$") else each.value
                self._matched.add((number, minute))
                self._values[each.metric][minute].append(float(value))

    def put(self, metric: MetricKey, value: float, at_s: float) -> None:
        """Take a data point of a metric, such as SQS sends."""
        self._values[metric][int(at_s // MINUTE_S)].append(value)

    def history(self, minutes: range, *, from_minute: int) -> dict[str, list[State]]:
        """Return the state of each alarm after each of these *minutes* since the epoch; data begin at *from_minute*."""
        self._fill_defaults()
        alarms = {name: Alarm(each) for name, each in self.template.of_type("AWS::CloudWatch::Alarm").items()}
        composites = self.template.of_type("AWS::CloudWatch::CompositeAlarm")
        history: dict[str, list[State]] = {name: [] for name in (*alarms, *composites)}
        for minute in minutes:
            for name, alarm in alarms.items():
                oldest = max(from_minute, minute + 1 - evaluation_range(alarm.properties["EvaluationPeriods"]))
                seen = [alarm.breaches(alarm.value(self._statistic, each)) for each in range(oldest, minute + 1)]
                history[name].append(alarm.state(seen, history[name][-1] if history[name] else "INSUFFICIENT_DATA"))
            now = {name: states[-1] for name, states in history.items() if states}
            for name, each in composites.items():
                history[name].append("ALARM" if rings(each["AlarmRule"], now) else "OK")
        return history

    def _fill_defaults(self) -> None:
        """A filter that matches no line of a minute that has lines sends its default value, if it has one."""
        for number, each in enumerate(self._filters):
            for group, minute in self._ingested:
                if group == each.group and each.default is not None and (number, minute) not in self._matched:
                    self._values[each.metric][minute].append(float(each.default))
                    self._matched.add((number, minute))

    def _statistic(self, metric: MetricKey, length: int, minute: int, statistic: str) -> float | None:
        found = self._values[metric]
        values = [value for each in range(minute - length + 1, minute + 1) for value in found.get(each, ())]
        return float(_STATISTICS[statistic](values)) if values else None


def _key(metric: Mapping[str, Any]) -> MetricKey:
    queue = next((each["Value"] for each in metric.get("Dimensions", ())), "")
    return metric["Namespace"], metric["MetricName"], queue
