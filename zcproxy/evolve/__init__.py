"""Evolution of formulas on DEAP: islands, hall of fame, run directory."""

from zcproxy.evolve.configuration import Configuration as Configuration, Limits as Limits
from zcproxy.evolve.results import Champion as Champion, Result as Result
from zcproxy.evolve.run import Observer as Observer, evolve as evolve, resume as resume
