"""How well formulas under the probe `quantised` rank bit widths of one architecture: tau with the quantised accuracy.

    python results/search/bit_policies.py --architectures 5 --policies 60 --out runs/bit-policies

Architectures of the trained `elastic_digits` are drawn; each keeps its weights, and its layers get 2, 4 or 8 bits at
random. Formulas were written down before anything was measured, and see the inherited weights. Size is the control:
more bits are more accurate. A finished search is not repeated, and accuracies are measured once for all formulas.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
from naming import folder_name, told
from quantisation import HERE, Chosen
from scipy.stats import kendalltau

from zcproxy.benchmarks.elastic_digits import ElasticDigits
from zcproxy.cli.display import RunDisplay
from zcproxy.search import Quantisation, SearchConfiguration, Setting, search
from zcproxy.search.quantities.networks import Weights

WIDTHS = (2, 4, 8)
CHANGE = "frobenius_norm(output@quantised)"
FORMULAS = {
    "change of the logits": f"0 - last({CHANGE})",
    "change of all outputs, logarithms": f"0 - sum(log({CHANGE}))",
    "change of all outputs": f"0 - sum({CHANGE})",
    "change of the weights": "0 - sum(frobenius_norm(weight@quantised))",
}
SIZE = "size"


def ranked(architecture: str, name: str, policies: int, folder: Path, display: RunDisplay) -> pd.DataFrame:
    """Return the accuracy, the size and the score by one formula of networks that differ in their bit widths."""
    setting = Setting(
        "elastic_digits", formula=FORMULAS[name], weights=Weights.INHERITED, quantisation=Quantisation(WIDTHS)
    )
    configuration = SearchConfiguration(
        setting, ("accuracy", "proxy"), ("model_size_mb",), algorithm="random", evaluations=policies, population=4
    )
    first, out = (folder / folder_name(each) for each in (next(iter(FORMULAS)), name))
    reuse = [] if out == first else [first]
    result = search(configuration, out, subject=Chosen([architecture]), reuse=reuse, step=told(display, name))
    return result.table


def main() -> None:
    """Rank the bit widths of every architecture by every formula, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", type=int, required=True)
    parser.add_argument("--policies", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rng, space = Random("bit policies"), ElasticDigits()
    drawn = [space.sample(rng) for _ in range(arguments.architectures)]
    rows = []
    with RunDisplay() as display:
        for number, architecture in enumerate(drawn):
            for name in FORMULAS:
                found = ranked(architecture, name, arguments.policies, arguments.out / str(number), display)
                rows.append(
                    {"arch": architecture, "score": name, "tau": kendalltau(found["proxy"], found["accuracy"])[0]}
                )
            tau = kendalltau(found["model_size_mb"], found["accuracy"])[0]
            rows.append({"arch": architecture, "score": SIZE, "tau": tau})
    table = pd.DataFrame(rows)
    table.to_csv(HERE / "bit_policies.csv", index=False, float_format="%.4f")
    print(table.groupby("score", sort=False)["tau"].agg([np.mean, np.std, np.min]).to_string())


if __name__ == "__main__":
    main()
