"""Evolves with each family held out in turn, for several seeds and for each thing left out of the method.

    python results/generalisation/study.py --seeds 0 1 2 3 4 --out runs/generalisation
    python results/generalisation/study.py --seeds 0 1 --variants labels mean no-zoo --out runs/generalisation

A finished run is not repeated, an interrupted one continues. `summary.py` gathers what they found.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from zcproxy.formula import Kind, vocabulary
from zcproxy.ranking.controls import CORRELATIONS

TRAINED_ON = {
    "nasbench201": ["nasbench201/cifar10"],
    "nats_sss": ["nats_sss/cifar10"],
    "nds-cells": ["nds-cells"],
    "nds-resnext": ["nds-resnext"],
    "transnas101-micro": ["transnas101/micro-object"],
    "transnas101-macro": ["transnas101/macro-object"],
    "ofa_mobilenetv3": ["ofa_mobilenetv3"],
    "digits201": ["digits201"],
    "nds-resnet": ["nds-resnet"],
    "digits-stages": ["digits-stages"],
    "digits-cells": ["digits-cells"],
    "digits-vit": ["digits-vit"],
}
"""What stands for each family: one data set of those that have the same networks on several."""

NEW_FAMILIES = ("nds-resnet", "digits-stages", "digits-cells", "digits-vit")
"""Those that are trained on and never held out."""

HELD_OUT = {
    name: ["nasbench201", "digits201"] if name == "nasbench201" else [name]
    for name in TRAINED_ON
    if name not in (*NEW_FAMILIES, "digits201")
}
"""digits201 has the cells of NAS-Bench-201: a run that never saw one never saw the other."""

START = "weight_layers,l2_norm,plain,snip,zico,synflow,log_synflow,naswot"
PUBLISHED = (
    "weight_layers,l2_norm,snip,zico,synflow,log_synflow,naswot,meco,az_expressivity,az_progressivity,az_trainability,"
    "az_complexity,az_nas"
)
"""Published proxies that take a minibatch of eight and no more than a few passes."""

SIZES = "log(total_macs) + log(total_params),min(log(units)) + log(total_macs)"
"""What a formula has to be better than, besides params and FLOPs."""


def aggregations_besides_mean() -> str:
    """Return the names of the aggregations over layers, without the mean."""
    names = [
        primitive.name
        for primitive in vocabulary().primitives.values()
        for signature in primitive.functions
        if signature.result is Kind.NETWORK and Kind.LAYER in signature.arguments
    ]
    return ",".join(name for name in dict.fromkeys(names) if name != "mean")


STRUCTURE = (
    "units,longest_path_share,before_pooling,stages,first_reduction,last_reduction,mean_log_positions,narrowest_cut,"
    "mean_log_cut,chain_params,chain_macs,stage_sum,stage_mean,stage_min,stage_max,body_sum,body_mean,body_min,"
    "body_max,path_kernel,bottleneck_path,heaviest_path,at_depth,rising_mean,falling_mean"
)
"""What the language says of stages, cuts, paths and widths."""

VARIANTS: dict[str, list[str]] = {
    "full": ["--targets", "transferred", "--start-from", START],
    "ranks": ["--targets", "transferred", "--start-from", START, "--form", "ranks"],
    "no-structure": ["--targets", "transferred", "--start-from", START, "--without", STRUCTURE],
    "no-new-families": ["--targets", "transferred", "--start-from", START],
    "labels": ["--targets", "labels", "--start-from", START],
    "no-constants": ["--targets", "transferred", "--start-from", START, "--without", "constants"],
    "no-zoo": ["--targets", "transferred"],
    "mean": ["--targets", "transferred", "--without", aggregations_besides_mean()],
    "no-gradients": ["--targets", "transferred", "--without", "gradients"],
    "size-30": ["--targets", "transferred", "--start-from", START, "--maximum-size", "30"],
    "one-task": ["--targets", "labels", "--start-from", START],
}
"""The method, and what is left out of it or changed."""


def run(family: str, seed: int, variant: str, options: argparse.Namespace) -> None:
    """Make one run, unless it exists already."""
    held_out = HELD_OUT[family]
    left_out = [*held_out, *(NEW_FAMILIES if variant == "no-new-families" else ())]
    trained = [task for name, tasks in TRAINED_ON.items() if name not in left_out for task in tasks]
    if variant == "one-task":
        trained = trained[:1]
    out = options.out / f"{variant}-without-{family}-{seed}"
    if (out / CORRELATIONS).exists():
        return
    tested = [task for name in held_out for task in TRAINED_ON[name]]
    command = [sys.executable, "-m", "zcproxy", "evolve", *trained]
    command += [part for task in tested for part in ("--hold-out", task)]
    command += ["--networks", str(options.networks), "--test-networks", str(options.test_networks)]
    command += ["--seed", str(seed), "--sample-seed", "0", "--evaluations", str(options.evaluations)]
    command += ["--maximum-size", "12", "--selection", "epsilon-lexicase", "--resampled", "0.7", "--new-columns", "0"]
    command += VARIANTS[variant]
    if variant == "full" and seed == 0:  # what is compared with depends on the networks alone, which all seeds share
        command += ["--compare", f"{PUBLISHED},{SIZES}", "--control"]
    print(f"{variant}, {family} held out, seed {seed}", flush=True)
    subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Make the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["full"])
    parser.add_argument("--families", nargs="+", choices=HELD_OUT, default=[*HELD_OUT])
    parser.add_argument("--networks", type=int, default=115, help="labelled networks per task")
    parser.add_argument("--test-networks", type=int, default=120, help="networks per task that is held out")
    parser.add_argument("--evaluations", type=int, default=15_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    for seed in options.seeds:
        for variant in options.variants:
            for family in options.families:
                run(family, seed, variant, options)


if __name__ == "__main__":
    main()
