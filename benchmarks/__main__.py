"""Measure the host beside its floors: `make bench`. docs/benchmarks.md tells more."""

import argparse
import sys
from pathlib import Path

import psycopg

from benchmarks.bench import Bench
from benchmarks.cases import CASES
from benchmarks.hydra import bench_server
from benchmarks.machine import this_machine
from benchmarks.report import HEAD, Results, row, verdict
from benchmarks.write import write

RUNS = 5


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    unknown = set(options.cases) - set(CASES)
    if unknown:
        print(
            f"there is no case {', '.join(sorted(unknown))}; there are"
            f" {', '.join(CASES)}",
            file=sys.stderr,
        )
        raise SystemExit(2)
    whole = not options.cases and not options.quick
    into = options.into or (Path(__file__).parent if whole else None)
    results = measure(
        options.cases or list(CASES),
        1 if options.quick else options.runs,
        options.quick,
    )
    if into is not None:
        write(results, into)
    if results.unfinished:
        raise SystemExit(1)


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    found.add_argument(
        "cases", metavar="CASE", nargs="*", help=f"of {', '.join(CASES)}; all"
    )
    found.add_argument(
        "--runs", type=int, default=RUNS, help="of everything; %(default)s"
    )
    found.add_argument(
        "--quick",
        action="store_true",
        help="a run of small sizes, to see that everything works",
    )
    found.add_argument(
        "--into",
        type=Path,
        metavar="DIRECTORY",
        help="for results.json, RESULTS.md and plots/; of all cases together,"
        " without --quick, beside the program",
    )
    return found


def measure(cases: list[str], runs: int, quick: bool) -> Results:
    """Run these cases, and print what they measure as it comes."""
    with bench_server() as server:
        results = Results(this_machine(server), runs, quick, {})
        print(results.machine.words(), flush=True)
        if warning := results.machine.warning():
            print(f"WARNING: {warning}", flush=True)
        print()
        print(HEAD, flush=True)
        bench = Bench(server, runs, quick)
        for name in cases:
            measured = results.cases.setdefault(name, [])
            try:
                for measurement in CASES[name](bench):
                    measured.append(measurement)
                    print(row(measurement), flush=True)
            except (TimeoutError, psycopg.Error) as error:
                # Half an hour of the others should not be lost with it.
                results.unfinished[name] = str(error).partition("\n")[0]
                print(f"{name}: {error}", file=sys.stderr, flush=True)
    print()
    print(verdict(results))
    return results


if __name__ == "__main__":
    main()
