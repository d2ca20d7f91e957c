"""The text of a table's cells, the same in the terminal, in Markdown and in LaTeX."""

from __future__ import annotations

import math
from collections.abc import Collection

from zcproxy.ranking.measures import FEWEST_FOR_INTERVAL, Estimate
from zcproxy.ranking.seen import seen_line
from zcproxy.ranking.significance import Comparison
from zcproxy.ranking.table import Row, TaskTable

HEADINGS = {
    "tau": "Kendall tau [95 %]",
    "behind": "p, best ahead",
    "spread": "± init.",
    "reported": "published",
    "spearman": "Spearman",
    "weighted_tau": "weighted",
    "tau_top_decile": "top 10 % [95 %]",
    "ndcg": "nDCG",
    "partial_spearman": "given params",
    "pick_accuracy": "pick, %",
    "regret": "regret",
    "seconds": "s",
    "undefined": "undefined",
    "settings": "settings",
}
"""Heading of each column that readers see, by name; files for programs have them all, with every interval."""

NARROW = ("tau", "spread", "spearman", "partial_spearman", "pick_accuracy", "undefined")
"""The columns that a terminal of less than `WIDE` characters has room for."""

WIDE = 140

EXPLAINED = {
    "tau": "Kendall's tau-b with its 95 % bootstrap interval over architectures and initialisations",
    "behind": "; corrected p-value of the best proxy's lead",
    "spread": "; standard deviation of tau over initialisations",
    "reported": "; what papers report on the whole population",
    "spearman": "; Spearman's rho",
    "weighted_tau": "; hyperbolically weighted tau",
    "tau_top_decile": "; tau inside the true best tenth, where that has ten networks, with its interval",
    "ndcg": "; nDCG",
    "partial_spearman": "; partial Spearman's rho given params",
    "pick_accuracy": "; test accuracy of the network with the highest score",
    "regret": ", and what the best one has more",
    "seconds": "; seconds a network for the proxy alone, one thread",
    "undefined": "; networks without a score, which rank last",
    "settings": "; whose settings a proxy is measured with: samples, initialisation unless it is the network's own, "
    "mode unless it is training",
}
"""What each column of `HEADINGS` holds, with the sign between it and those before."""

LEGEND = "".join(EXPLAINED.values()) + "."
"""What all columns hold."""


def title(table: TaskTable) -> str:
    """Return the task, the population and how it was measured."""
    plan = table.plan
    parts = [f"{table.task}: {table.population}"]
    if plan.batch_size is not None:
        parts.append(f"minibatch of {plan.batch_size}")
    parts.append("1 initialisation" if plan.initialisations == 1 else f"{plan.initialisations} initialisations")
    if table.settings_notes:
        parts.append("authors' settings")
    return ", ".join(parts)


def notes(table: TaskTable) -> list[str]:
    """Return what a reader has to know beside the numbers, a sentence each."""
    known = len(table.labels)
    found = [] if table.images is None else [f"Images: {table.images.description}."]
    found += table.settings_notes
    if known < FEWEST_FOR_INTERVAL:
        found.append(f"{known} networks are too few for an interval: {FEWEST_FOR_INTERVAL} or more have one.")
    found += [f"{seen_line(name, seen, known)}." for name, seen in table.seen.items()]
    by_count: dict[int, list[str]] = {}
    for row in table.rows:
        if row.undefined:
            by_count.setdefault(row.undefined, []).append(row.name)
    for count, names in sorted(by_count.items()):
        which = f"all {known}" if count == known else f"{count} of {known}"
        found.append(f"Undefined, and so ranked last, for {which} networks: {', '.join(names)}.")
    found += table.reasons
    constant = [row.name for row in table.rows if math.isnan(row.estimates["tau"].value) and row.undefined < known]
    if constant:
        found.append(f"One score for all networks in at least one initialisation: {', '.join(constant)}.")
    return found


def shown_columns(table: TaskTable, width: int) -> list[str]:
    """Return the columns of `HEADINGS` that say something of a table and fit a terminal of so many characters."""
    empty = set()
    if table.plan.initialisations == 1:
        empty.add("spread")
    if not any(row.undefined for row in table.rows):
        empty.add("undefined")
    if not table.settings_notes:
        empty.add("settings")
    if not any(row.reported for row in table.rows):
        empty.add("reported")
    if not any(len(row.draws) for row in table.rows):
        empty.add("behind")
    return [name for name in HEADINGS if name not in empty and (width >= WIDE or name in NARROW)]


def legend(columns: Collection[str]) -> str:
    """Return what some columns hold, `tau` among them."""
    return "".join(text for name, text in EXPLAINED.items() if name in columns) + "."


def cells(row: Row, behind: Comparison | None = None) -> dict[str, str]:
    """Return the text of each column of `HEADINGS`.

    Args:
        row: of a table.
        behind: how the best proxy of that compares with this one; None for the best itself, and where it is unknown.
    """
    shown = {name: number(row.estimates[name].value) for name in HEADINGS if name in row.estimates}
    shown |= {name: with_interval(row.estimates[name]) for name in ("tau", "tau_top_decile")}
    shown["behind"] = "" if behind is None else p_value(behind.p_corrected)
    shown["spread"] = number(row.estimates["tau"].spread)
    shown |= {name: number(row.estimates[name].value, 2) for name in ("pick_accuracy", "regret")}
    shown["reported"] = "" if row.reported is None else " - ".join(sorted({number(tau) for tau in row.reported}))
    shown["seconds"] = number(row.seconds, 2)
    shown["undefined"] = str(row.undefined) if row.undefined else ""
    shown["settings"] = row.settings
    return {name: shown[name] for name in HEADINGS}


def p_value(value: float) -> str:
    """Return a p-value as it is shown."""
    return "<0.001" if value < 0.001 else number(value)


def with_interval(estimate: Estimate) -> str:
    """Return the value with the two ends of its interval, where it has one."""
    if math.isnan(estimate.low):
        return number(estimate.value)
    return f"{estimate.value:.3f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def signed(value: float, digits: int = 3) -> str:
    """Return a number as it is shown in a figure, with a minus sign, empty for NaN."""
    return "" if math.isnan(value) else f"{value:z.{digits}f}".replace("-", "\u2212")


def number(value: float, digits: int = 3) -> str:
    """Return a number as it is shown, a dash for NaN."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
