"""The templates of a stage as the emulator takes them: what it refuses is left out, and listed here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orderstream_local.layout import SERVICES

__all__ = ["LEFT_OUT", "as_emulated"]

_RESOURCE = re.compile(r"^  (\w+):(?: #.*)?\n(?:(?:   .*)?\n)+", re.MULTILINE)
# ministack 1.5.33 refuses a template with NAT gateways (egress.yaml), ApplicationAutoScaling (scaling.yaml), composite
# alarms, metric math or saved queries
_REFUSED = re.compile(
    r"/(?:egress|scaling)\.yaml\"$"
    r"|^    Type: AWS::(?:CloudWatch::CompositeAlarm|Logs::QueryDefinition)$"
    r"|^      Metrics:$",
    re.MULTILINE,
)
LEFT_OUT = {
    "stage.yaml": {"Egress", "Scaling"},
    "alarms.yaml": {
        *("ServerErrors", "CustomersHurt", *(f"{each.title()}Silent" for each in SERVICES)),
        *("QueryErrors", "QueryHurt", "QueryAway", "QueryDeadLetters"),
        *("QueryOrder", "QueryTrace", "QueryRequests", "QueryOrders"),
    },
}
# what refers to them, and the one attribute that it lacks
_REPLACED = {
    "    DependsOn: Egress\n": "",
    "!GetAtt Server.MasterUserSecret.SecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:administrator",
}


def as_emulated(templates: Mapping[str, str]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the *templates* without what the emulator refuses, and the names of that by template."""
    given, left_out = {}, {}
    for name, text in templates.items():
        refused = [match for match in _RESOURCE.finditer(text) if _REFUSED.search(match[0])]
        for each in (*(match[0] for match in refused), *_REPLACED):
            text = text.replace(each, _REPLACED.get(each, ""))  # noqa: PLW2901
        given[name] = text
        if refused:
            left_out[name] = {match[1] for match in refused}
    return given, left_out
