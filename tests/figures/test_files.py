"""Files of figures: the same bytes whenever the same thing is drawn."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zcproxy.errors import StorageError
from zcproxy.figures import check_figures, drawing, save
from zcproxy.figures.style import wrapped

DRAWN = """
import sys
from pathlib import Path
import matplotlib
matplotlib.rcParams["svg.hashsalt"] = sys.argv[2]
from zcproxy.figures import drawing, save
with drawing(3.3, 2.0) as figure:
    axis = figure.subplots()
    axis.plot([1, 2, 3], [1, 4, 2], marker="o")
    axis.fill_between([1, 2], [1, 2])
    axis.set_title("xyz, seed 0")
for ending in ("pdf", "svg", "png"):
    save(figure, Path(sys.argv[1]) / f"figure.{ending}")
"""


def test_the_bytes_depend_on_what_is_drawn_alone(tmp_path: Path) -> None:
    digests = []
    for place, zone in enumerate(("UTC", "Asia/Tokyo")):
        folder = tmp_path / str(place)
        folder.mkdir()
        environment = os.environ | {
            "PYTHONHASHSEED": str(place + 1),
            "TZ": zone,
            "SOURCE_DATE_EPOCH": str(10**9 * place),
        }
        subprocess.run([sys.executable, "-c", DRAWN, str(folder), str(place)], env=environment, check=True)
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()})
    assert digests[0] == digests[1] and len(digests[0]) == 3


def test_files_carry_no_date_and_fonts_that_journals_take(tmp_path: Path) -> None:
    with drawing(1, 1) as figure:
        figure.suptitle("text")
    for ending in ("pdf", "svg", "png"):
        save(figure, tmp_path / f"a.{ending}")
    assert (
        b"CreationDate" not in (tmp_path / "a.pdf").read_bytes() and b"/Type3" not in (tmp_path / "a.pdf").read_bytes()
    )
    assert b"dc:date" not in (tmp_path / "a.svg").read_bytes()


def test_a_name_without_a_sign_in_the_font_is_drawn(tmp_path: Path) -> None:
    with drawing(1, 1) as figure:
        figure.suptitle("模型 $x_", parse_math=False)
    save(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0


def test_a_folder_that_cannot_be_written_is_found_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_figures([tmp_path / "new" / "folder" / "a.PDF"])
    assert list(tmp_path.iterdir()) == []

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("zcproxy.storage.files.TemporaryFile", refuse)
    with pytest.raises(StorageError, match=r"cannot write .*a\.pdf: Permission denied"):
        check_figures([tmp_path / "new" / "a.pdf"])


def test_titles_are_broken_into_lines_that_fit() -> None:
    lines = wrapped("one two \n three " * 20, 3.3).splitlines()
    assert len(lines) > 2 and max(map(len, lines)) <= 3.3 / 0.05
    assert " ".join(lines) == " ".join(("one two three " * 20).split())
    assert "seed 0" in wrapped(f"{'x' * 56} of all, seed 0, 1 initialisation", 3.3).splitlines()[1]
