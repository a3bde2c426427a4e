"""Takes one safeguard at a time out of a copy of the tree and requires that its tests fail.

`python -m tests.safeguards [NAME…]`: all, or those with the names. Their tests have to pass with the safeguards first.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from tests.safeguards.table import ROOT, SAFEGUARDS, Safeguard

COPIED = ("packages", "compose", "tests", "pyproject.toml")
COPIES = 2
TEST_LIMIT_S = 60


def main() -> int:
    """Return 0 when every safeguard is noticed when it is missing."""
    chosen = [each for each in SAFEGUARDS if each.name in sys.argv[1:] or not sys.argv[1:]]
    if len(chosen) < len(sys.argv[1:]):
        sys.exit("the safeguards are: " + ", ".join(each.name for each in SAFEGUARDS))
    with tempfile.TemporaryDirectory(prefix="safeguards-") as folder, ThreadPoolExecutor(COPIES) as pool:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another user
        trees = SimpleQueue[Path]()
        for number in range(COPIES):
            trees.put(copied(Path(folder) / str(number)))
        tree = trees.get()
        status, report = pytest(tree, {test for each in chosen for test in each.tests}, "-n", str(COPIES))
        trees.put(tree)
        if status:
            say(f"WRONG these fail with the safeguards\n{report[-4_000:]}")
            return 1
        rightly = list(pool.map(lambda each: is_noticed(each, trees), chosen))
    say(f"{sum(rightly)} of {len(rightly)} safeguards are noticed when they are missing")
    return 0 if all(rightly) else 1


def copied(tree: Path) -> Path:
    """Copy what the tests need to *tree*."""
    tree.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules", ".venv")
            )
        else:
            shutil.copy(ROOT / name, tree)
    return tree


def is_noticed(safeguard: Safeguard, trees: SimpleQueue[Path]) -> bool:
    """Take *safeguard* out of one of *trees* for a run of its tests; return whether they failed as they should."""
    tree, began = trees.get(), monotonic()
    file = tree / safeguard.file
    original = file.read_text("utf-8")
    file.write_text(safeguard.edited(), "utf-8")
    try:
        _, report = pytest(tree, safeguard.tests)
    finally:
        file.write_text(original, "utf-8")
        trees.put(tree)
    wrong = complaint(safeguard, report)
    say(f"{'WRONG' if wrong else 'ok   '} {monotonic() - began:5.1f} s  {safeguard.name}  {wrong}")
    if wrong:
        say(report[-4_000:])
    return not wrong


def complaint(safeguard: Safeguard, report: str) -> str:
    """Return what is wrong with *report*, of a run without *safeguard*; nothing if all tests failed for its reason."""
    failed = re.findall(r"^FAILED (\S+)", report, re.MULTILINE)
    if passed := set(safeguard.tests).difference(failed, (each.partition("[")[0] for each in failed)):
        return f"did not fail: {', '.join(sorted(passed))}"
    return "" if re.search(safeguard.reason, report) else f"failed for another reason than {safeguard.reason!r}"


def pytest(tree: Path, tests: Collection[str], *options: str) -> tuple[int, str]:
    """Run *tests* of *tree* on its own packages; return the status and the report."""
    sources = [*tree.glob("packages/*/src"), tree / "compose/local/src"]
    environ = {"PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "400"}
    command = ["-m", "pytest", "-q", "--tb=short", f"--timeout={TEST_LIMIT_S}", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        [sys.executable, *command, *sorted(tests)],
        cwd=tree,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
