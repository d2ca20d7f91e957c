"""Time that the checksums of the column store take in a warm `zcproxy table`, as a share of all of it.

    python tests/performance/checksum_ratio.py [--task digits201] [--networks 200] [--rounds 3]

The table is made once, so that all columns are known, then again in this process with one thread. It counts the time
inside `hashlib.sha256` for whole files, so that the ratio does not depend on the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

from zcproxy.names.scorers import ZOO, resolve_scorers
from zcproxy.ranking.table import Plan, build_table
from zcproxy.storage import sealed


class Timed:
    """Stands in for `hashlib`, counts bytes and adds up the seconds of its sha256."""

    def __init__(self) -> None:
        self.seconds, self.bytes = 0.0, 0

    def sha256(self, content: bytes) -> Any:
        """Return `hashlib.sha256(content)`."""
        started = time.perf_counter()
        found = hashlib.sha256(content)
        self.seconds += time.perf_counter() - started
        self.bytes += len(content)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="digits201")
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    scorers, plan = resolve_scorers(ZOO), Plan(networks=options.networks)
    with tempfile.TemporaryDirectory() as folder:
        build_table(options.task, scorers, plan, cache=Path(folder))
        for _ in range(options.rounds):
            timed = Timed()
            sealed.hashlib = timed  # type: ignore[assignment]
            started = time.perf_counter()
            build_table(options.task, scorers, plan, cache=Path(folder))
            whole = time.perf_counter() - started
            print(
                f"warm table {whole:.2f} s, checksums of {timed.bytes / 1e6:.1f} MB {1000 * timed.seconds:.1f} ms: "
                f"{100 * timed.seconds / whole:.3f} %"
            )


if __name__ == "__main__":
    main()
