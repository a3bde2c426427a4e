"""What a report of the suite says, held against what is known of our side. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["CASES", "EXCLUDED", "Case", "by_section", "objections", "reason"]

EXCLUDED: Mapping[str, str] = {
    "12.*": "permessage-deflate is off by design: it costs more memory than all the rest of a connection",
    "13.*": "the same, with its parameters",
}
CASES = 301
SECTIONS: Mapping[str, str] = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closing",
    "9": "long and many messages",
    "10": "fragments written by the client's library",
}


@dataclass(frozen=True, slots=True)
class Case:
    """How one case ended, in the suite's words: of the messages, and of the closing."""

    id: str
    behaviour: str
    closing: str

    def __str__(self) -> str:
        return f"{self.id}: {self.behaviour}, closing {self.closing}"

    @property
    def conforms(self) -> bool:
        """Whether it is as it has to be, or of a kind where nothing has to be."""
        return {self.behaviour, self.closing} <= {"OK", "INFORMATIONAL"}


WHOLE = "a text is looked at frame by frame; this case wants to be refused within a frame, before all of it is there"
KNOWN: Mapping[Case, str] = {
    Case("6.4.3", "NON-STRICT", "OK"): WHOLE,
    Case("6.4.4", "NON-STRICT", "OK"): WHOLE,
}


def reason(case: Case) -> str | None:
    """Return why a case that is not simply OK may end so; None when nobody knows."""
    if case.conforms:
        return "any behaviour is right"
    return KNOWN.get(case)


def objections(cases: Sequence[Case]) -> list[str]:
    """Return why the report is not good; nothing when it is."""
    found = [str(case) for case in cases if reason(case) is None]
    found += [f"no longer so, take it off the list: {known}" for known in KNOWN if known not in cases]
    if len(cases) != CASES:
        found.append(f"{len(cases)} cases ran, {CASES} were to run")
    return found


def by_section(cases: Sequence[Case]) -> dict[str, Counter[str]]:
    """Count the behaviours of each section of the suite, in its order."""
    sections: dict[str, Counter[str]] = {}
    for case in cases:
        number = case.id.split(".")[0]
        sections.setdefault(f"{number} {SECTIONS.get(number, '')}", Counter())[case.behaviour] += 1
    return sections
