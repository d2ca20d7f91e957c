"""The primitives of the formula language, one family per file. Importing this package registers them all.

`parse` reads formulas in that language.

To add one, write a pure function in the family it belongs to and decorate it with `zcproxy.formula.primitive`.
"""

from zcproxy.formula.text import parse as parse
from zcproxy.primitives import (
    aggregations as aggregations,
    arithmetic as arithmetic,
    attention as attention,
    classes as classes,
    comparisons as comparisons,
    descriptors as descriptors,
    elementwise as elementwise,
    paths as paths,
    patterns as patterns,
    rankings as rankings,
    reductions as reductions,
    samples as samples,
    similarities as similarities,
    spectra as spectra,
    stages as stages,
    statistics as statistics,
    subbatches as subbatches,
)
