"""The place of `Task` and `SearchSpace` before 0.2, kept for one release: import them from `zcproxy`."""

from zcproxy.contracts.task import Batch as Batch, SearchSpace as SearchSpace, Task as Task
