"""Peak memory of a whole command: the resident sets of the process and all its children, added up.

    python tests/performance/peak_memory.py zcproxy evolve nasbench201/cifar10 --networks 400 --budget 15m --out runs/x

Pages that processes share (the libraries) are counted once per process, so the figure is an upper bound. Linux only.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path


def children_of(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *children_of(child)]
    return found


def resident_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def main() -> None:
    process = subprocess.Popen(sys.argv[1:])
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, sum(map(resident_bytes, [process.pid, *children_of(process.pid)])))
        except FileNotFoundError:
            continue
        time.sleep(0.2)
    print(f"peak resident memory {peak / 2**30:.2f} GiB (exit code {process.returncode})")


if __name__ == "__main__":
    main()
