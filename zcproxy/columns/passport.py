"""What columns in a Parquet file depend on, which is checked before they are taken into a store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zcproxy.columns.context import CODE_VERSION, column_key, is_key_of
from zcproxy.errors import FormulaError, StorageError
from zcproxy.models.initialisation import OWN
from zcproxy.primitives import parse
from zcproxy.storage.fields import read_fields
from zcproxy.storage.records import read_record, record_text

PASSPORT = b"zcproxy columns"
"""Its name in the metadata of a file."""
FORMAT = 1


@dataclass(frozen=True)
class SharedSettings:
    """What all columns of a file have in common, see `zcproxy.columns.context.Context.shared`."""

    task: str
    batch_size: int
    initialisation: int
    device: str
    rule: str = OWN

    def shared(self) -> dict[str, Any]:
        """Return them as the store keys its folders by them."""
        return {name: value for name, value in asdict(self).items() if (name, value) != ("rule", OWN)}


@dataclass(frozen=True)
class Passport:
    """What the metadata of a file says.

    Attributes:
        format: version of the form of the file.
        code: `CODE_VERSION` of what measured its columns.
        settings: what they have in common.
        fingerprint: of their task.
        digests: sha256 of each group of rows.
    """

    format: int
    code: int
    settings: SharedSettings
    fingerprint: str
    digests: tuple[str, ...] = ()

    def text(self) -> bytes:
        """Return what stands in the metadata."""
        return record_text(asdict(self)).encode()


def read_passport(path: Path, metadata: Mapping[bytes, bytes] | None) -> Passport:
    """Return the passport in the metadata of a file.

    Raises:
        StorageError: there is none, or it is damaged or of another version.
    """
    text = (metadata or {}).get(PASSPORT)
    if text is None:
        raise StorageError(f"{path} is no file of columns: `zcproxy columns export` writes them")
    try:
        content = read_record(text, summed=True)
    except ValueError as error:
        raise StorageError(f"cannot read columns from {path}: {error}; export or copy it again") from error
    if content.get("format") != FORMAT:
        raise StorageError(f"{path} has format {content.get('format')!r}, not {FORMAT}: use the zcproxy that wrote it")
    if content.get("code") != CODE_VERSION:
        raise StorageError(
            f"{path} has columns of version {content.get('code')!r}, not {CODE_VERSION}: export them with the zcproxy "
            "of this machine, or measure them here"
        )
    return read_fields(Passport, content, str(path), StorageError)


def check_keys(path: Path, keys: Collection[str]) -> None:
    """Refuse columns that the code of this machine would compute otherwise than that which measured them.

    Args:
        path: the file, for the error.
        keys: of its columns.

    Raises:
        StorageError: see above.
    """
    for key in sorted(keys):
        text = key.partition(" #")[0]
        try:
            known = column_key(parse(text))
        except FormulaError as error:
            raise StorageError(
                f"{path} has the column '{text}', which has no meaning here: {error}; if a plugin has its words, give "
                "`--plugin`"
            ) from error
        if not is_key_of(key, known):
            raise StorageError(
                f"{path} has the column '{text}' as other code measured it: use the same zcproxy and plugins on both "
                "machines, or measure it here"
            )
