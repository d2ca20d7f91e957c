"""Evolution of formulas: islands whose operators are a toolbox of DEAP, hall of fame by size, run directory.

The package can be called: it is `evolve`.
"""

import sys
from types import ModuleType

from zcproxy.evolve.configuration import Configuration as Configuration, Limits as Limits
from zcproxy.evolve.deap.individual import Individual as Individual, tree_of as tree_of
from zcproxy.evolve.deap.operators import limits as limits
from zcproxy.evolve.deap.primitives import (
    PrimitiveSet as PrimitiveSet,
    formula_of as formula_of,
    primitive_set as primitive_set,
)
from zcproxy.evolve.observer import Observer as Observer
from zcproxy.evolve.results import Finalist as Finalist, Result as Result
from zcproxy.evolve.run import evolve as evolve, resume as resume


class _CallablePackage(ModuleType):
    __call__ = staticmethod(evolve)


sys.modules[__name__].__class__ = _CallablePackage
