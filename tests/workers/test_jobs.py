from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

from zcproxy.workers.jobs import as_completed_jobs


class Result:
    """What a job returns; a list cannot be referred to weakly."""


def made(_: int) -> Result:
    return Result()


def test_results_that_were_taken_are_not_held_any_more() -> None:
    references = []
    with ThreadPoolExecutor(1) as executor:
        for _, result in as_completed_jobs(executor, made, [(number,) for number in range(20)]):
            references.append(weakref.ref(result))
            del result
            gc.collect()
            assert sum(reference() is not None for reference in references) <= 2
    assert len(references) == 20
