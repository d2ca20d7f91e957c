"""Jobs that may run code of users in another process, under what is permitted here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from zcproxy.user_code.border import own_failures
from zcproxy.user_code.permission import Scope, current_scope, entered

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def carried(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return a job for any executor: the function, under what is permitted here and now."""
    return partial(_call, function, current_scope())


def _call(
    function: Callable[Parameters, Result], scope: Scope, *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    with entered(scope), own_failures():
        return function(*args, **kwargs)
