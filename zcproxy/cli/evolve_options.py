"""The options of `zcproxy evolve`; an option that is a field of the configuration has the field's name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli.options import LARGEST_BATCH, LARGEST_COUNT, LARGEST_SEED, MOST_NETWORKS, MOST_NODES
from zcproxy.evolve import targets
from zcproxy.evolve.cases import CASES
from zcproxy.evolve.deap.operators import CROSSOVERS, MUTATIONS
from zcproxy.evolve.deap.selection import SELECTIONS, SURVIVORS
from zcproxy.evolve.invariance import CONDITIONS
from zcproxy.names.families import EMBEDDED, set_aside
from zcproxy.names.tasks import DEFAULT_TASK

# What the run learns from

Tasks = Annotated[
    list[str] | None,
    typer.Argument(
        help=f"Tasks such as nasbench201/cifar10, families of tasks such as nds-cells, or folders of benchmarks; "
        f"{DEFAULT_TASK} if not given, and with --hold-out all other families."
    ),
]
Families = Annotated[
    str,
    typer.Option(
        help=f"Families to learn from beside the tasks, separated by commas; {EMBEDDED}: all whose labels are part of "
        "the package."
    ),
]
Networks = Annotated[
    int | None,
    typer.Option(
        max=MOST_NETWORKS,
        help="Labelled networks per task, training and validation together; 400, or 60 % of fewer than 667.",
    ),
]
Population = Annotated[str, typer.Option(help="Architectures to draw from: all or pruned.")]
TestNetworks = Annotated[
    int | None,
    typer.Option(min=2, max=MOST_NETWORKS, help="Unseen networks to test the formula on; up to 200 if not given."),
]
HoldOut = Annotated[
    list[str] | None,
    typer.Option(help="Family (nds, ofa_mobilenetv3, ...) or task to test the chosen formula on; not trained on."),
]
UseSetAside = Annotated[
    bool,
    typer.Option(
        "--use-set-aside",
        help="Confirm that the run may use families that are set aside to judge finished methods "
        f"({', '.join(sorted(set_aside()))}).",
    ),
]
SampleSeed = Annotated[
    int | None,
    typer.Option(min=0, max=LARGEST_SEED, help="Seed of the sample and its split alone; --seed if not given."),
]

# Networks of the user

Models = Annotated[
    str,
    typer.Option(
        help="Your own networks, with --labels and --input: package.module:name of a mapping of functions that build "
        "one, or of a function of an architecture's text."
    ),
]
Labels = Annotated[
    Path | None, typer.Option(help="CSV file of your networks with the columns architecture and accuracy.")
]
InputShape = Annotated[
    str, typer.Option("--input", "--input-shape", help="Shape of one sample of your networks' input, such as 3x32x32.")
]

# What formulas are made of

Probes = Annotated[str, typer.Option(help="Probes to use, separated by commas.")]
BatchSize = Annotated[int, typer.Option(min=2, max=LARGEST_BATCH, help="Samples of a minibatch.")]
NewColumns = Annotated[int, typer.Option(min=0, max=10_000, help="New layer-level expressions to measure on the way.")]
MaximumSize = Annotated[
    int, typer.Option("--maximum-size", "--max-size", min=2, max=MOST_NODES, help="Most nodes of a formula.")
]
Without = Annotated[
    str,
    typer.Option(
        help="Primitives and descriptors that formulas do without, separated by commas; also `constants`, `gradients`."
    ),
]
StartFrom = Annotated[
    str, typer.Option(help="Proxies that every island starts with, separated by commas; `zoo`: all published.")
]

# How they are selected

Form = Annotated[
    str,
    typer.Option(help="formula, or ranks: sets of two to four formulas whose ranks are summed, or their logarithms."),
]
Algorithm = Annotated[str, typer.Option(help="evolve, or random for the control without selection.")]
Targets = Annotated[
    str,
    typer.Option(
        help=f"Targets of the formulas: {' or '.join(targets.Targets)} (predicted from labels of other spaces)."
    ),
]
Invariance = Annotated[
    str,
    typer.Option(
        help="Conditions under which formulas should rank as well, separated by commas: "
        f"{', '.join(CONDITIONS)}. Tau falls by what it is lower under the worst."
    ),
]
Cases = Annotated[str, typer.Option(help=f"Fitness cases beside tau, separated by commas: {', '.join(CASES)}.")]
Crossover = Annotated[str, typer.Option(help=f"Crossover of two formulas: {', '.join(CROSSOVERS)}.")]
Mutation = Annotated[
    str, typer.Option(help=f"Mutations, separated by commas, all equally likely: {', '.join(MUTATIONS)}.")
]
Selection = Annotated[
    str, typer.Option(help=f"Selection of parents: {', '.join(SELECTIONS)}; lexicase goes over all cases.")
]
Survivors = Annotated[str, typer.Option(help=f"Selection of survivors: {', '.join(SURVIVORS)}.")]
Toolbox = Annotated[
    str, typer.Option(help="Your own operators for DEAP's toolbox: package.module:function, see docs/evolve.md.")
]
Resampled = Annotated[
    float,
    typer.Option(
        "--resampled", "--resample", help="Share of the training networks that each epoch sees, drawn again for each."
    ),
]

# When the run stops, where it writes, and what it is compared with

Budget = Annotated[str | None, typer.Option(help="Total wall-clock time: 90s, 15m, 1h30m.")]
Generations = Annotated[
    int | None, typer.Option(min=1, max=LARGEST_COUNT, help="Stop after this many generations of every island.")
]
Evaluations = Annotated[int | None, typer.Option(min=1, max=LARGEST_COUNT, help="Stop after this many formulas.")]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Run directory to write; runs/TASK-SEED, runs/FAMILIES-SEED or runs/without-FAMILY-SEED if not given."
    ),
]
Resume = Annotated[Path | None, typer.Option("--resume", help="Run directory to continue.")]
Compare = Annotated[str, typer.Option("--compare", help="Proxies to test on the same networks, separated by commas.")]
Control = Annotated[
    bool,
    typer.Option(
        "--control",
        help="Then also test the best of as many random formulas, and two predictors fitted to the same columns.",
    ),
]
Report = Annotated[
    bool,
    typer.Option("--report", help="Write a page of the run, report.html in its directory, again after every epoch."),
]
