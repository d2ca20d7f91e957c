"""Evolution of formulas on DEAP: islands, hall of fame, run directory. The package can be called: it is `evolve`."""

import sys
from types import ModuleType

from zcproxy.evolve.configuration import Configuration as Configuration, Limits as Limits
from zcproxy.evolve.observer import Observer as Observer
from zcproxy.evolve.results import Finalist as Finalist, Result as Result
from zcproxy.evolve.run import (
    evolve as evolve,
    resume as resume,
)


class _CallablePackage(ModuleType):
    __call__ = staticmethod(evolve)


sys.modules[__name__].__class__ = _CallablePackage
