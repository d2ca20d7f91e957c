"""The options of `zcproxy search`; an option that is a field of the configuration has the field's name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli.options import LARGEST_BATCH, MOST_EPOCHS, MOST_NETWORKS, MOST_WORKERS
from zcproxy.proxies import DEFAULT
from zcproxy.search.algorithms import ALGORITHMS
from zcproxy.search.algorithms.catalogue import ROBOT, WITH_NICHES
from zcproxy.search.algorithms.robot import QUERIES
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.goals import ACCURACY, MAXIMIZED, TRAINED_ACCURACY
from zcproxy.search.quantities import networks

DEFAULTS = SearchConfiguration(networks.Setting(""), maximized=(ACCURACY,))
"""The defaults of a search."""

# What is searched, and for what

Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="SPACE-OR-BENCHMARK",
        help="A task (nasbench201/cifar10), a super-network (elastic_digits), a space (ofa_resnet50, with "
        "--input), or package.module:name of your own.",
    ),
]
Proxy = Annotated[
    str | None,
    typer.Option(
        help=f"A file, a name or a formula; {DEFAULT} if neither it nor --maximize is given. It is what is made "
        "large, unless --maximize names something else: then it guides."
    ),
]
Maximize = Annotated[
    list[str] | None,
    typer.Option(
        "--maximize",
        "--maximized",
        help=f"Quantity to make large: {', '.join(MAXIMIZED)}; for {ROBOT} {ACCURACY} if not given.",
    ),
]
Minimize = Annotated[
    list[str] | None,
    typer.Option(
        "--minimize",
        "--minimized",
        help="Quantity to make small: params, macs, peak_memory_mb, latency_ms, latency_ms:DEVICE, ...",
    ),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option("--limit", "--limits", help="Bound, for example macs=300M or latency_ms=20."),
]

Proxies = Annotated[
    str,
    typer.Option(
        help=f"What {ROBOT} combines, separated by commas: whatever zcproxy table takes, folders of proxy files too "
        "(runs/x/front)."
    ),
]

# How it is searched

Algorithm = Annotated[str, typer.Option(help=f"One of {', '.join(ALGORITHMS)}.")]
Evaluations = Annotated[
    int | None,
    typer.Option(
        "--evaluations",
        "--queries",
        min=4,
        max=MOST_NETWORKS,
        help=f"Architectures to evaluate; {DEFAULTS.evaluations:,}, for {ROBOT} {QUERIES}.",
    ),
]
Population = Annotated[int, typer.Option(min=4, max=MOST_NETWORKS, help="Architectures of a generation.")]
WarmStart = Annotated[
    int,
    typer.Option(
        min=0,
        max=MOST_NETWORKS,
        help="Architectures of a first search by the proxy alone, whose best are the first population.",
    ),
]
InnerEvaluations = Annotated[
    int, typer.Option(min=1, max=MOST_NETWORKS, help="Architectures that linas predicts between two generations.")
]
Niches = Annotated[
    int,
    typer.Option(
        min=0,
        max=MOST_NETWORKS,
        help=f"Bins of the first minimised quantity: {' and '.join(WITH_NICHES)} keep the best of each.",
    ),
]
Candidates = Annotated[
    int,
    typer.Option(min=4, max=MOST_NETWORKS, help=f"Architectures that {ROBOT} ranks, drawn at random; all of fewer."),
]
StartFrom = Annotated[list[str] | None, typer.Option(help="Architecture to begin with.")]
Reuse = Annotated[
    list[Path] | None,
    typer.Option(help="Directory of a search in the same setting: what it measured is not measured again."),
]

# What networks are built from, and how they are measured

InputShape = Annotated[
    str | None,
    typer.Option("--input", "--input-shape", help="Input of a space without a dataset, for example 3x32x32."),
]
Classes = Annotated[int, typer.Option(min=2, max=100_000, help="Classes, for such a space.")]
Table = Annotated[
    Path | None, typer.Option(help="CSV or Parquet file with `arch` and columns of numbers, each a quantity.")
]
Weights = Annotated[str, typer.Option(help=f"What the proxy looks at: {' or '.join(networks.Weights)}.")]
SharedWeights = Annotated[
    Path | None, typer.Option(help="File of trained weights of the super-network, in place of its own.")
]
Dataset = Annotated[str, typer.Option(help=f"What {TRAINED_ACCURACY} is measured on: digits, hf:NAME, ...")]
Epochs = Annotated[int, typer.Option(min=1, max=MOST_EPOCHS, help=f"Epochs of a training for {TRAINED_ACCURACY}.")]
LatencyBatchSize = Annotated[int, typer.Option(min=1, max=LARGEST_BATCH, help="Samples of a timed pass.")]
LatencyThreads = Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="Threads of a timed pass.")]

# Where it writes

Out = Annotated[Path | None, typer.Option(help="Directory to write; runs/search-SUBJECT-SEED if not given.")]
Resume = Annotated[Path | None, typer.Option("--resume", help="Directory of a search to continue.")]
