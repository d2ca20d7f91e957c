"""Optional packages: an error names the command that installs a missing one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from zcproxy.errors import ConfigurationError


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Report a package that is imported inside and not installed.

    Args:
        name: name of the extra in `pyproject.toml` that brings it.
        what: needs it.

    Raises:
        ConfigurationError: names the package and the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "zcproxy"):
            raise
        raise ConfigurationError(
            f"{what} needs the package {missing}, which is not installed: pip install 'zcproxy[{name}]'"
        ) from error


def check_extra(name: str, what: str, module: str) -> None:
    """Raise `ConfigurationError` before any work if a module of an extra is not installed; arguments as of `extra`."""
    with extra(name, what):
        import_module(module)
