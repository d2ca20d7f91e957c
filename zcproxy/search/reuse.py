"""Measurements of other searches, for a search in the same setting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zcproxy.errors import ConfigurationError, first_difference
from zcproxy.images.image_sets import ImageSet, kept_image_sets
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.directory import SearchDirectory
from zcproxy.search.goals import is_score
from zcproxy.search.measuring import Measured


def measured_by(path: Path, configuration: SearchConfiguration, images: ImageSet | None) -> list[Measured]:
    """Return what another search measured, without its scores where its proxy is another one or looks elsewhere.

    Args:
        path: directory of the other search.
        configuration: configuration of the search that measures nothing twice.
        images: what its proxy is shown; None if it looks at no images.

    Raises:
        ConfigurationError: it measured in another setting.
        RunError: there is no search.
    """
    directory = SearchDirectory(path)
    other, own = directory.configuration(), configuration.setting
    same_scores = replace(
        other.setting,
        formula=own.formula,
        proxy_batch_size=own.proxy_batch_size,
        weights=own.weights,
        images=own.images,
        proxies=own.proxies,
    )
    if same_scores != own or other.table != configuration.table:
        theirs, ours = vars(same_scores) | {"table": other.table}, vars(own) | {"table": configuration.table}
        difference = first_difference(theirs, ours)
        raise ConfigurationError(f"{path} measured with {difference}: leave it out of `reuse`")
    shown = next(iter(kept_image_sets(path).values()), None)
    was_alike = shown is None or images is None or shown.token == images.token
    same = was_alike and replace(other.setting, images=own.images) == own
    rows = [
        (architecture, {name: value for name, value in row.items() if same or not is_score(name)}, seconds)
        for architecture, row, seconds in directory.measured()
    ]
    return [measured for measured in rows if measured[1]]
