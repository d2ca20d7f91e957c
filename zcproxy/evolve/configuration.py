"""Configuration of a run of evolution, and the limits that stop it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from zcproxy.benchmarks.shared.populations import POPULATIONS
from zcproxy.errors import ConfigurationError, check_known
from zcproxy.evolve.cases import CASES, SIZES
from zcproxy.evolve.deap.operators import CROSSOVERS, MUTATIONS, OURS
from zcproxy.evolve.deap.selection import SELECTIONS, SURVIVORS
from zcproxy.evolve.deap.toolbox import Operators
from zcproxy.evolve.invariance import CONDITIONS
from zcproxy.evolve.targets import Targets
from zcproxy.formula import MAXIMUM_DEPTH, Kind, Node
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import CONSTANTS
from zcproxy.formula.registry import vocabulary
from zcproxy.formula.text import has_readable_text
from zcproxy.formula.variation import places
from zcproxy.primitives import parse
from zcproxy.probing.beside import reads_teacher
from zcproxy.probing.expressions import needs_gradients
from zcproxy.probing.probes import OF_TEACHER, PROBES
from zcproxy.storage.fields import read_fields
from zcproxy.user_code.references import check_reference

DEFAULT_PROBES = ("noise", "ones", "chunks")
"""`data` and `delta` add little to these and cost a pass or two more."""
GRADIENTS = "gradients"
"""The name in `without` that excludes columns that need a backward pass."""


class Form(StrEnum):
    """What evolves."""

    FORMULA = "formula"
    RANKS = "ranks"


class Algorithm(StrEnum):
    """Ways to find formulas."""

    EVOLVE = "evolve"
    RANDOM = "random"


LEAST_RESAMPLED = 0.25
"""Share of the training networks below which an epoch would mostly select by chance."""
RANGES = (
    ("validation_share", 0.0, 0.99),
    ("test_networks", 0, 10**9),
    ("batch_size", 2, 10**6),
    ("maximum_size", -math.inf, 10**6),
    ("islands", 1, 1000),
    ("island_size", 1, 10**6),
    ("epoch_generations", 1, 10**6),
    ("new_columns", 0, 10**6),
    ("new_columns_after", 0, 10**9),
    ("sample_seed", 0, 2**63),
)
"""Fields of a configuration with the least and the most that make sense."""
LONGEST = 40
"""Characters that messages show of a number."""


@dataclass(frozen=True)
class Configuration:
    """Everything that the result of a run depends on, besides when it stops.

    Attributes:
        tasks: names of the tasks that a formula is scored on.
        networks: labelled networks per task, training and validation together; None: 400, or 60 % of those of a task
            that has fewer than 667.
        seed: seed of the evolution, and of the sample and its split where `sample_seed` is None.
        population: which architectures of the benchmark are drawn from: `all` or `pruned`.
        validation_share: share of the networks that choose among the evolved formulas; 0 where all are fitted to.
        test_networks: networks that no formula was fitted to or chosen by, scored once at the end; None: 200, or all
            that are left where they are fewer; 0 for no test.
        probes: what the standard library of columns and new expressions may use.
        batch_size: samples of a minibatch.
        device: `cpu` or `cuda`.
        maximum_size: most nodes of a formula, statistics, descriptors and numbers included.
        islands: groups of formulas that evolve apart and exchange their best after each epoch.
        island_size: formulas of an island.
        epoch_generations: generations between two exchanges.
        new_columns: layer-level expressions that the best formulas propose, measured in one sweep after the epoch
            `new_columns_after`; 0 for none.
        new_columns_after: see above.
        algorithm: `evolve`, or `random` for the control that draws formulas and selects nothing.
        form: `formula`, or `ranks` for sets of two to four formulas whose ranks, or their logarithms, are summed.
        start_from: texts of formulas that every island begins with; their columns may be of any probe.
        without: names of primitives that formulas must not use (columns may) and of descriptors; `constants` for
            numbers, and `gradients` for columns that need a backward pass.
        goals: one name per task: tasks of one goal (a family) count as one, their mean. Empty: each task is its own.
        targets: what formulas are fitted to and chosen by: the `labels`, or what is `transferred` from those of other
            goals, see `zcproxy.evolve.targets`. Tests use the labels.
        cases: what a formula is judged by beside tau, names of `zcproxy.evolve.cases.CASES`.
        invariance: other conditions under which formulas should order the networks as well, names of
            `zcproxy.evolve.invariance.CONDITIONS`: tau falls by what it is lower under the worst of them.
        crossover: how two formulas are mated, a name of `zcproxy.evolve.deap.operators.CROSSOVERS`.
        mutation: how one is changed, names of `zcproxy.evolve.deap.operators.MUTATIONS`, each as likely.
        selection: how parents are found: `tournament` and `double-tournament` by worst and mean; `lexicase` and
            `epsilon-lexicase` by one case after another.
        survivors: how those of a generation are found among parents and children: `nsga2`, `nsga3` or `spea2`.
        toolbox: reference of the user's own toolbox, see `zcproxy.evolve.deap.own_toolbox`; empty for ours.
        resampled: share of the training networks that an epoch sees, drawn again for each.
        sample_seed: seed of the sample and its split: runs of different `seed` may share them.
        hold_out: names of tasks that share no network with any of `tasks`. The chosen formula is tested on them, once,
            instead of on unseen networks of `tasks`.
        images: token of the user's images, see `zcproxy.images.own`; empty for what is at hand.
        use_set_aside: whether tasks may be of families that are set aside to judge finished methods.
        plugins: file and digest of each plugin whose words formulas may use; `evolve` fills in those that are loaded.
        teacher: reference and digest of the network that the probes `teacher` and `teacher_noise` record; `evolve`
            fills in the one that is loaded.
    """

    tasks: tuple[str, ...]
    networks: int | None = None
    seed: int = 0
    population: str = "all"
    validation_share: float = 0.25
    test_networks: int | None = None
    probes: tuple[str, ...] = DEFAULT_PROBES
    batch_size: int = 8
    device: str = "cpu"
    maximum_size: int = 30
    islands: int = 4
    island_size: int = 200
    epoch_generations: int = 5
    new_columns: int = 12
    new_columns_after: int = 10
    algorithm: str = Algorithm.EVOLVE
    form: str = Form.FORMULA
    start_from: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    targets: str = Targets.LABELS
    cases: tuple[str, ...] = ()
    invariance: tuple[str, ...] = ()
    crossover: str = OURS
    mutation: tuple[str, ...] = (OURS,)
    selection: str = "tournament"
    survivors: str = "nsga2"
    toolbox: str = ""
    resampled: float = 1.0
    sample_seed: int | None = None
    hold_out: tuple[str, ...] = ()
    images: str = ""
    use_set_aside: bool = False
    plugins: tuple[str, ...] = ()
    teacher: str = ""

    def __post_init__(self) -> None:
        _check_numbers(self)
        if not self.tasks:
            raise ConfigurationError("no task given: name at least one, for example nasbench201/cifar10")
        if self.networks is not None and self.networks < 16:
            raise ConfigurationError(f"networks={self.networks} is too few to fit and choose: give 16 or more")
        for kind, values, known in (
            ("probe", self.probes, PROBES),
            ("algorithm", (self.algorithm,), Algorithm),
            ("form", (self.form,), Form),
            ("crossover", (self.crossover,), CROSSOVERS),
            ("mutation", self.mutation, MUTATIONS),
            ("selection", (self.selection,), SELECTIONS),
            ("survivors", (self.survivors,), SURVIVORS),
            ("targets", (self.targets,), Targets),
            ("population", (self.population,), POPULATIONS),
            ("case", self.cases, CASES),
            ("condition", self.invariance, CONDITIONS),
        ):
            for value in values:
                check_known(kind, value, known)
        if not self.mutation:
            raise ConfigurationError(f"no mutation given: name at least one of {', '.join(MUTATIONS)}")
        if self.toolbox:
            check_reference(self.toolbox)
        if not LEAST_RESAMPLED <= self.resampled <= 1.0:
            raise ConfigurationError(f"resampled={self.resampled:g} is not a share from {LEAST_RESAMPLED} to 1")
        if self.goals and len(self.goals) != len(self.tasks):
            raise ConfigurationError(f"{len(self.goals)} goals for {len(self.tasks)} tasks: name one for each task")
        if self.maximum_size < 2:
            raise ConfigurationError(f"maximum_size={self.maximum_size} leaves no room for a formula: give 2 or more")
        self._check_without()
        for text in self.start_from:
            self._check_start(text)

    def _check_without(self) -> None:
        for name in self.without:
            if name not in (CONSTANTS, GRADIENTS, *vocabulary().leaves):
                vocabulary().get(name)
            if name in SIZES and self.cases:
                raise ConfigurationError(f"the cases {', '.join(self.cases)} are made with {name}, which is left out")

    def _check_start(self, text: str) -> None:
        formula = parse(text)
        if not has_readable_text(canonical(formula)):
            raise ConfigurationError(f"'{text}' to start from is nested deeper than {MAXIMUM_DEPTH} in canonical form")
        if formula.size > self.maximum_size:
            raise ConfigurationError(
                f"'{text}' to start from has {formula.size} nodes, the run has maximum_size={self.maximum_size}"
            )
        nodes = [place.node for place in places(formula) if not place.node.is_column]
        found = {CONSTANTS if node.is_constant else node.symbol for node in nodes}
        found.update(column.symbol for column in formula.columns() if not column.arguments)
        found.update({GRADIENTS} if needs_gradients(formula) else ())
        unwanted = sorted(found.intersection(self.without))
        if unwanted:
            raise ConfigurationError(f"'{text}' to start from has {unwanted[0]}, which `without` leaves out")

    def admits(self, column: Node) -> bool:
        """Whether formulas may be made of a column."""
        if not column.arguments and column.symbol in self.without:
            return False
        return GRADIENTS not in self.without or not needs_gradients(column)

    @property
    def reads_teacher(self) -> bool:
        """Whether formulas may read a teacher."""
        return not OF_TEACHER.keys().isdisjoint(self.probes) or any(map(reads_teacher, map(parse, self.start_from)))

    @property
    def root(self) -> Kind:
        """The kind of what evolves."""
        return Kind.RANKING if self.form == Form.RANKS else Kind.NETWORK

    @property
    def operators(self) -> Operators:
        """The variants of the toolbox."""
        return Operators(self.crossover, self.mutation, self.selection, self.survivors)

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @property
    def tested(self) -> tuple[str, ...]:
        """The tasks that the chosen formula is tested on."""
        return self.hold_out or self.tasks

    @staticmethod
    def from_dict(content: object, where: str = "the stored configuration") -> Configuration:
        """Return the configuration that `as_dict` wrote. Raises `ConfigurationError` for other content of a file."""
        return read_fields(Configuration, content, where)


@dataclass(frozen=True)
class Limits:
    """When a run stops: whichever comes first; None for no limit.

    Attributes:
        seconds: seconds of wall-clock time, the sweep and the final test included.
        generations: generations of every island.
        evaluations: distinct formulas evaluated, checked after each epoch.
    """

    seconds: float | None = None
    generations: int | None = None
    evaluations: int | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.seconds, self.generations, self.evaluations) if value is not None]
        if not given:
            raise ConfigurationError("nothing stops the run: give `seconds`, `generations` or `evaluations`")
        if not all(0 < value < math.inf for value in given):  # False for NaN too
            raise ConfigurationError("`seconds`, `generations` and `evaluations` must be positive")

    def extended(
        self, *, seconds: float | None = None, generations: int | None = None, evaluations: int | None = None
    ) -> Limits:
        """Return these limits with some that have grown. Raises `ConfigurationError` for one that shrinks or is new."""
        wanted: dict[str, Any] = {"seconds": seconds, "generations": generations, "evaluations": evaluations}
        for name, value in wanted.items():
            known = getattr(self, name)
            if value is not None and (known is None or value < known):
                limits = {key: str(each)[:LONGEST] for key, each in vars(self).items() if each is not None}
                rest = ", ".join(f"{key}={each}" for key, each in limits.items())
                raise ConfigurationError(
                    f"{name}={str(value)[:LONGEST]} does not extend the run, whose limits are {rest}"
                    ": they can only grow"
                )
        return replace(self, **{name: value for name, value in wanted.items() if value is not None})


def _check_numbers(configuration: Configuration) -> None:
    """Raise `ConfigurationError` for a number out of its range."""
    for name, least, most in RANGES:
        value = getattr(configuration, name)
        if value is not None and not least <= value <= most:
            raise ConfigurationError(f"{name}={str(value)[:LONGEST]} is out of range: give {least:g} to {most:g}")
