"""The place of `ChoiceSpace` before 0.2, kept for one release: import it from `zcproxy`."""

from zcproxy.contracts.choice_space import BaseSpace as BaseSpace, ChoiceSpace as ChoiceSpace
