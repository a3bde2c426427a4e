"""Run simulations: `./run simulate --seeds 0-999`, or one again with its trace: `--seed 17 --trace`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial

from tests.simulation.children import in_children
from tests.simulation.run import Verdict, simulate
from tests.simulation.safeguards import SAFEGUARDS, without
from tests.simulation.shrink import shrink, story

# seeds of one child process, which keeps their tasks until it exits
CHUNK = 25


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return 1 when a seed failed."""
    options = _options(arguments)
    began_s = time.monotonic()
    with ExitStack() as removed:
        for name in options.without:
            removed.enter_context(without(name))
        verdicts: list[Verdict] = []
        failed = 0
        for verdict in _run(options):
            verdicts.append(verdict)
            failed += bool(verdict.problems)
            if verdict.problems and failed <= options.report:
                _report(verdict, options)
            if failed and options.first:
                break
        if options.trace:
            _print(_again(options.seeds[0], None).trace)
    _print([_summary(verdicts, failed, time.monotonic() - began_s)])
    return 1 if failed else 0


def _run(options: argparse.Namespace) -> Iterator[Verdict]:
    chunks = [options.seeds[start : start + CHUNK] for start in range(0, len(options.seeds), CHUNK)]
    works = [partial(_simulate_all, chunk, until_first=options.first) for chunk in chunks]
    with closing(in_children(works, options.jobs)) as all_:
        for verdicts in all_:
            yield from verdicts


def _simulate_all(seeds: Sequence[int], *, until_first: bool) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for seed in seeds:
        verdicts.append(simulate(seed))
        if until_first and verdicts[-1].problems:
            break
    return verdicts


def _again(seed: int, only: Collection[str] | None) -> Verdict:
    return next(in_children([partial(simulate, seed, only=only, verbose=True)], 1))


def _report(verdict: Verdict, options: argparse.Namespace) -> None:
    _print([f"seed {verdict.seed} fails:", *(f"    {problem}" for problem in verdict.problems[:8])])
    if options.shrink:
        smallest = shrink(verdict, partial(_again, verdict.seed))
        _print([f"  with {len(smallest.happened)} of {len(verdict.happened)} events it still fails:"])
        _print([f"    {key}" for key in smallest.happened])
        _print([f"    {problem}" for problem in smallest.problems[:4]])
        _print([f"  {line}" for line in story(_again(verdict.seed, smallest.happened))])
    missing = "".join(f" --without {name}" for name in options.without)
    _print([f"  again: ./run simulate --seed {verdict.seed}{missing} --trace", ""])


def _summary(verdicts: Sequence[Verdict], failed: int, seconds: float) -> str:
    slowest_s = max(verdict.settled_s for verdict in verdicts)
    cpu_s = sum(os.times()[:4])
    checksum = sum(verdict.checksum for verdict in verdicts) % 2**32
    return (
        f"{len(verdicts)} seeds in {seconds:.1f} s ({cpu_s:.1f} s of CPU): {failed} failed,"
        f" settled after {slowest_s:.1f} simulated seconds at the latest, checksum {checksum:08x}"
    )


def _print(lines: Sequence[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run simulate", description=__doc__)
    parser.add_argument("--seeds", "--seed", type=_seeds, default=range(1000), metavar="A-B", help="0-999 by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--trace", action="store_true", help="print everything that happens in the first seed")
    parser.add_argument("--first", action="store_true", help="stop at the first failure")
    parser.add_argument("--report", type=int, default=3, metavar="N", help="tell of this many failing seeds")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false", help="tell them without shrinking")
    parser.add_argument("--without", action="append", default=[], choices=SAFEGUARDS, help="take a safeguard out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
