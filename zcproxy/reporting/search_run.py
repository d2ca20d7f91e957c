"""A search as its directory has it, finished or not: what a page is made from. Nothing is changed there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE
from zcproxy.errors import RunError
from zcproxy.images.image_sets import kept_image_sets
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.directory import EVALUATIONS, SearchDirectory
from zcproxy.search.results import SECONDS, SearchResult, result_of


@dataclass(frozen=True)
class SearchRun:
    """What the directory of a search holds.

    Attributes:
        path: the directory.
        configuration: of the search.
        images: what each subject was shown, in words.
        result: what has been evaluated so far; None where nothing has all quantities that are searched by.
        is_finished: whether the results are those of all evaluations that the configuration asks for.
        is_written: whether there are results, of these or of fewer evaluations.
    """

    path: Path
    configuration: SearchConfiguration
    images: dict[str, str]
    result: SearchResult | None
    is_finished: bool
    is_written: bool

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.resolve().name


def read_search_run(path: Path) -> SearchRun:
    """Return what the directory of a search holds.

    Raises:
        ConfigurationError: its configuration, or a plugin that it names, cannot be taken.
        RunError: it holds no search, or a file in it is damaged.
    """
    directory = SearchDirectory(path)
    configuration = directory.configuration()
    is_written = os.path.lexists(path / EVALUATIONS)
    table = _evaluations(path, configuration) if is_written else _measured(directory, configuration)
    goals, names = configuration.goals, list(table[ARCHITECTURE])
    values = {name: table[name].to_numpy(np.float64) for name in goals.quantities}
    seconds = table[SECONDS].to_numpy(np.float64)
    outcomes = goals.outcomes(names, values)
    result = result_of(goals, outcomes, list(seconds), float(seconds.sum()), float(seconds.sum())) if names else None
    is_finished = is_written and len(names) >= configuration.evaluations
    images = {name: shown.description for name, shown in kept_image_sets(path).items()}
    return SearchRun(path, configuration, images, result, is_finished, is_written)


def _evaluations(path: Path, configuration: SearchConfiguration) -> pd.DataFrame:
    place = path / EVALUATIONS
    wanted = [ARCHITECTURE, *configuration.goals.quantities, SECONDS]
    again = f"`zcproxy search --resume {path}` writes it again"
    try:
        table = pd.read_parquet(place)
        missing = [name for name in wanted if name not in table.columns]
        if missing:
            raise RunError(f"{place} has no column '{missing[0]}': {again}")
        table = table[wanted].astype(dict.fromkeys(wanted[1:], np.float64))
        return table.assign(**{ARCHITECTURE: table[ARCHITECTURE].map(str)})
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise RunError(f"cannot read {place}: {reason}; {again}") from error


def _measured(directory: SearchDirectory, configuration: SearchConfiguration) -> pd.DataFrame:
    """Return the architectures whose quantities are all known, in the order in which the journal has them."""
    known: dict[str, dict[str, float]] = {}
    seconds: dict[str, float] = {}
    for architecture, values, spent in directory.measured():
        known.setdefault(architecture, {}).update(values)
        seconds[architecture] = seconds.get(architecture, 0.0) + spent
    wanted = configuration.goals.quantities
    names = [name for name, values in known.items() if all(each in values for each in wanted)]
    columns = {each: [known[name][each] for name in names] for each in wanted}
    return pd.DataFrame({ARCHITECTURE: names, **columns, SECONDS: [seconds[name] for name in names]})
