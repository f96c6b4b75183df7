"""`make bench`: every figure that the README names, beside the other way in the same run.

Each file bench_*.py here holds a list BENCHMARKS of functions that return rows. Arguments choose by name:
`make bench BENCH='help status'`. `--json FILE` writes them for machines. Exits 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from pathlib import Path

from tests.bench.report import Row, document, table


def main() -> int:
    parser = argparse.ArgumentParser(description="the project's benchmarks")
    parser.add_argument("names", nargs="*", help="only benchmarks whose name contains one of these words")
    parser.add_argument("--json", metavar="FILE", type=Path)
    wanted = parser.parse_args()
    rows: list[Row] = []
    broken = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        for benchmark in importlib.import_module(f"tests.bench.{path.stem}").BENCHMARKS:
            if wanted.names and not any(word in benchmark.__name__ for word in wanted.names):
                continue
            print(f"… {benchmark.__name__.replace('_', ' ')}", file=sys.stderr, flush=True)
            try:
                rows += benchmark()
            except Exception:
                broken += 1
                traceback.print_exc()
    print(table(rows))
    if wanted.json:
        wanted.json.write_text(document(rows), encoding="utf-8")
    missed = sum(row.holds is False for row in rows)
    print(f"\n{len(rows)} figures, {missed} beyond their bound, {broken} benchmarks broken")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
