"""Measures a proxy of a finished run on every benchmark and writes it to results/proxies/, with its card in README.md.

    python results/publish.py zc-general RUN/best.json --unseen-by RUN
    python results/publish.py --cards

Networks that the runs named by `--unseen-by` were fitted to, and those that compute the same function, are left out.
The words of a card are in `WORDS` below, everything else is measured.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from zcproxy import load_proxy
from zcproxy.cli.display import RunDisplay
from zcproxy.export.latex import latex
from zcproxy.names.families import families, set_aside
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.proxies import NAMES, file_of
from zcproxy.ranking.scoring import draw_networks, population_name, score_networks
from zcproxy.storage.files import replacing, write_text
from zcproxy.workers.pool import worker_pool

NETWORKS = {"nasbench201": 500, "nats_sss": 400, "digits201": 300}
"""Networks per task by family, where they are small; elsewhere `MOST_OF_LARGE`."""
MOST_OF_LARGE = 55
FEWEST = 50
"""A task of which the run left fewer is not on the card."""

HERE = Path(__file__).parent / "proxies"
CORRELATIONS = HERE / "correlations.csv"


@dataclass(frozen=True)
class Words:
    """What a card says of a proxy besides its measurements.

    Attributes:
        measures: what it measures, in plain words.
        found: where and how it was found.
        fails: where it fails.
    """

    measures: str
    found: str
    fails: str

    @property
    def description(self) -> str:
        """Description in the file of a proxy."""
        return f"{self.measures} Where it fails: {self.fails[0].lower()}{self.fails[1:]}"


WORDS: dict[str, Words] = {
    "zc-general": Words(
        measures=(
            "How large a network is (the l1 norm of its weights, and multiply-adds), times how many independent "
            "directions the gradient of a layer has: the participation ratio of the correlation of its filters under "
            "noise, the mean over layers. Large networks whose gradients do not repeat themselves score high."
        ),
        found=(
            "Fitted to thirteen families at once, 115 networks of each task, to what columns that hold in the other "
            "families predict (`--targets transferred`, 30,000 formulas of up to 12 nodes). Of three seeds, the one "
            "with the highest tau on training and validation networks. Every run of the study in "
            "results/generalisation found a similar formula."
        ),
        fails=(
            "On the macro space of TransNAS-Bench-101, where it ranks below FLOPs: labels there follow when the "
            "resolution is reduced, and size says little."
        ),
    ),
    "zc-nasbench201": Words(
        measures=(
            "How many independent directions the channels of the gradients have that reach the layers: summed within "
            "stages of equal resolution, the median over layers, less what the heaviest path through the "
            "network has of correlated outputs."
        ),
        found=(
            "Evolved on 400 labelled cells of NAS-Bench-201, CIFAR-10, 250,000 formulas, as invariant to the "
            "resolution of the images and the number of classes (`--invariance resolution,classes`). Of ten seeds, the "
            "one with the highest tau on the validation networks."
        ),
        fails=("Outside of cells such as those of NAS-Bench-201, which it was fitted to alone."),
    ),
    "zc-forward": Words(
        measures=(
            "Size alone, seen from several sides: the l1 norm of the weights, multiply-adds, and how many units the "
            "network has alive between its input and its output (mean log over the cuts of its graph). It reads the "
            "weights and the graph: no image, no noise, no pass."
        ),
        found=(
            "Fitted to thirteen families at once, 115 networks of each task, to what columns that hold in the other "
            "families predict (`--targets transferred`), without columns that need a backward pass (`--without "
            "gradients`). Of three seeds, the one with the highest tau on training and validation networks."
        ),
        fails=(
            "Where size alone tells little: on the macro space of TransNAS-Bench-101, and among operations of one size."
        ),
    ),
}

HEADER = """# Proxies found with zcproxy

`zcproxy.load_proxy("zc-general")`, `zcproxy score zc-general TASK`, `zcproxy proxy show zc-general`: they come with the
package. Written by `results/publish.py`; tau is Kendall's tau-b with a bootstrap interval (95 %, over networks), on
networks that the run of the proxy did not see."""


def measured(name: str, source: str, unseen_by: list[Path]) -> pd.DataFrame:
    """Return the correlations of a proxy, of params and of FLOPs on networks of every task."""
    scorers = [replace(resolve_proxy(source), name=name)]
    rows = []
    for family, tasks in families().items():
        if family in set_aside():
            continue
        for task in tasks:
            known = get_task(task)
            drawn = draw_networks(known, None, unseen_by=unseen_by)[: NETWORKS.get(family, MOST_OF_LARGE)]
            if len(drawn) < FEWEST:
                continue
            population = population_name(known, len(drawn), "all", unseen=bool(unseen_by))
            with RunDisplay() as display, worker_pool(2) as executor:
                progress = partial(display.step, f"measuring {task}")
                found = score_networks(
                    scorers, task, drawn, population=population, executor=executor, progress=progress
                )
            baselines = {each: found.correlation(values) for each, values in known.baselines(drawn).items()}
            known_rows = {**found.correlations(), **baselines}
            rows += [{"proxy": name, "ranked by": by, **each.as_dict()} for by, each in known_rows.items()]
    return pd.DataFrame(rows)


def cards(table: pd.DataFrame) -> str:
    """Return README.md: a card for each published proxy."""
    parts = [HEADER]
    for name in NAMES:
        if name in set(table["proxy"]):
            parts += card(name, table[table["proxy"] == name])
    return "\n\n".join(parts) + "\n"


def card(name: str, table: pd.DataFrame) -> Iterator[str]:
    """Yield the paragraphs of one card."""
    proxy, words = load_proxy(name), WORDS[name]
    yield f"## {name}"
    yield f"`{proxy.formula}`"
    yield f"$$ {latex(proxy.formula)} $$"
    yield f"**Measures.** {words.measures}"
    yield f"**Found.** {words.found}"
    yield f"**Fails.** {words.fails}"
    probes = ", ".join(proxy.probes) or "none"
    yield f"Nodes: {proxy.formula.size}. Probes: {probes}. Minibatch: {proxy.batch_size}."
    lines = ["| task | networks | tau | Spearman | params | FLOPs |", "|---|---|---:|---:|---:|---:|"]
    for task, rows in table.groupby("task", sort=False):
        by = rows.set_index("ranked by")
        own = by.loc[name]
        interval = f"{own['tau']:.2f} [{own['tau_low']:.2f}, {own['tau_high']:.2f}]"
        spearman = f"{own['spearman']:.2f}"
        if math.isnan(own["tau"]):
            interval, spearman = "undefined", "-"
        baselines = " | ".join(f"{by['tau'].get(each, float('nan')):.2f}" for each in ("params", "flops"))
        lines.append(f"| {task} | {own['population']} | {interval} | {spearman} | {baselines} |")
    yield "\n".join(lines)


def main() -> None:
    """Measure and write what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=NAMES)
    parser.add_argument("source", nargs="?", help="file of a run, or a formula")
    parser.add_argument("--unseen-by", nargs="+", type=Path, default=[])
    parser.add_argument("--cards", action="store_true", help="rewrite the words only, with the measurements of before")
    options = parser.parse_args()
    table = pd.read_csv(CORRELATIONS) if CORRELATIONS.exists() else pd.DataFrame({"proxy": []})
    if options.name and options.source:
        rows = measured(options.name, options.source, options.unseen_by)
        table = pd.concat([table[table["proxy"] != options.name], rows], ignore_index=True)
        with replacing(CORRELATIONS) as temporary:
            table.to_csv(temporary, index=False, float_format="%.4f")
        own = rows[rows["ranked by"] == options.name].drop(columns=["proxy", "ranked by"])
        proxy = replace(
            resolve_proxy(options.source),
            name=options.name,
            correlations=tuple(own.dropna(subset="tau").to_dict("records")),
        )
        proxy.save(file_of(options.name))
    for name in set(table["proxy"]):
        replace(load_proxy(name), description=WORDS[name].description).save(file_of(name))
    write_text(HERE / "README.md", cards(table))


if __name__ == "__main__":
    main()
