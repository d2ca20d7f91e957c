"""Releases that hold more than plain data: refused, and nothing of them runs."""

from __future__ import annotations

import bz2
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from attacks import Attack

from zcproxy.benchmarks.nasbench201 import official as cells
from zcproxy.errors import BenchmarkError

from .releases import (
    INDICES,
    TORCH,
    TSS,
    dump,
    one_line,
    release,
    write_folder,
)


@pytest.mark.parametrize("place", ["torch", "torch-zip", "single", "meta", "record"])
def test_malicious_releases(
    place: str, tmp_path: Path, cell_texts: list[str], torch_records: dict[int, Any], nats: Any
) -> None:
    made = tmp_path / "made"
    attack = {**release(cell_texts, {}), "arch2infos": {0: Attack(made)}}
    if place.startswith("torch"):
        path = tmp_path / TORCH
        torch.save(attack, path, _use_new_zipfile_serialization=place == "torch-zip")
    elif place == "single":
        path = dump(attack, tmp_path / f"{TSS}.pickle.pbz2")
    else:
        path = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {0: Attack(made)})
        if place == "meta":
            dump(attack, path / "meta.pickle.pbz2")
    with pytest.raises(BenchmarkError, match=r"is refused: it names (posix|nt)\.mkdir") as raised:
        cells.read_official(path)
    assert not made.exists()
    assert str(path) in one_line(raised)


class Tripwire:
    """A file that both packages would open as a pickle where a state is its name; the call in it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.made, self.names = folder / "made", [str(folder / "evil.pbz2"), str(folder / "evil")]
        (folder / "evil.pbz2").write_bytes(bz2.compress(pickle.dumps(Attack(self.made))))
        torch.save(Attack(self.made), folder / "evil")


@pytest.mark.parametrize("kind", ["torch", "nats", "nats-folder"])
@pytest.mark.parametrize("place", ["schedule", "record", "key"])
def test_a_text_in_place_of_a_state_is_not_opened(
    kind: str, place: str, tmp_path: Path, cell_texts: list[str], nats: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    tripwire = Tripwire(tmp_path)
    for name in tripwire.names:
        record: Any = dict.fromkeys(("12", "200", "less", "full"), name) if place == "schedule" else name
        records = {"0" if place == "key" else 0: record}
        path = tmp_path / (TORCH if kind == "torch" else f"{TSS}.pickle.pbz2")
        if kind == "torch":
            torch.save(release(cell_texts, records), path)
        elif kind == "nats":
            dump(release(cell_texts, records), path)
        else:
            path = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {0: record})
        with pytest.raises(
            BenchmarkError, match=r"the record of architecture .* is broken: a str stands for"
        ) as raised:
            cells.read_official(path)
        one_line(raised)
        assert not tripwire.made.exists()


def test_a_state_overwrites_no_method(tmp_path: Path, cell_texts: list[str], cell_records: dict[int, Any]) -> None:
    for state in (cell_records[11]["200"], cell_records[11]["200"]["all_results"]["cifar10", 777]):
        state.update(query=3, get_metrics=[], get_eval="text", load_state_dict=None)
    frame = cells.read_official(write_folder(tmp_path / f"{TSS}-simple", cell_texts, cell_records))
    assert frame.index.tolist() == list(INDICES)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: state.update(all_results=[]), "a list stands for a dictionary"),
        (lambda state: state.update(dataset_seed={"cifar10": "777"}), "its seeds are not lists"),
        (lambda state: state.update(dataset_seed={7: [777]}), "its seeds are not lists"),
        (lambda state: state.update(arch_index="11"), "a str stands for a whole number"),
        (lambda state: state.update(arch_str=None), "a NoneType stands for text"),
        (lambda state: state["all_results"].update({"cifar10": {}}), "not named by dataset and seed"),
        (lambda state: state["all_results"].update({("cifar10", 777): "evil"}), "a str stands for a dictionary"),
        (lambda state: state["all_results"]["cifar10", 777].update(epochs=10**12), "it was trained for"),
        (lambda state: state["all_results"]["cifar10", 777].update(epochs="200"), "a str stands for a whole number"),
        (lambda state: state["all_results"]["cifar10", 777].update(params=10**400), "larger than a float"),
        (lambda state: state["all_results"]["cifar10", 777].update(flop=float("inf")), "a number is inf"),
        (lambda state: state["all_results"]["cifar10", 777]["eval_acc1es"].update({"ori-test@199": "91"}), ""),
        (lambda state: state["all_results"]["cifar10", 777]["eval_acc1es"].update({"ori-test@199": True}), ""),
        (lambda state: state["all_results"]["cifar10", 777]["eval_acc1es"].update({"ori-test@199": 10**600}), ""),
    ],
)
def test_states_of_other_shapes(
    damage: Callable[[dict[str, Any]], None], message: str, tmp_path: Path, cell_texts: list[str],
    cell_records: dict[int, Any],
) -> None:  # fmt: skip
    damage(cell_records[11]["200"])
    cell_records[11]["200"]["dataset_seed"].setdefault("cifar10", [777])
    path = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {11: cell_records[11]})
    with pytest.raises(BenchmarkError, match=f"architecture 11 is broken: .*{message}") as raised:
        cells.read_official(path)
    assert len(one_line(raised)) < 500


def test_releases_that_unpack_to_too_much(tmp_path: Path, cell_texts: list[str], nats: Any) -> None:
    folder = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {})
    (folder / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(bytes(2**26), 4)))
    os.mkfifo(folder / "000001.pickle.pbz2")
    with pytest.raises(BenchmarkError, match=r"000000.pickle.pbz2 is refused: it holds more than 67 MB once unpacked"):
        cells.read_official(folder)


def test_forged_digits_are_not_taken_for_the_release(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    path = dump({"meta_archs": [], "arch2infos": {0: Attack(tmp_path / "made")}}, tmp_path / f"{TSS}.pickle.pbz2")
    forged = path.read_bytes() + b"appended"
    path.write_bytes(forged)
    monkeypatch.setitem(cells.RELEASES, "NATS-tss-v1_0", hashlib.md5(forged).hexdigest()[-5:])
    code, _, error = run("benchmark", "import", "nasbench201", path.name)
    assert (code, "easily forged; import it with --trust" in error) == (2, True), error
    code, _, error = run("benchmark", "import", "nasbench201", path.name, "--trust")
    assert code == 2 and "Traceback" not in error
    assert not (tmp_path / "made").exists() and not (tmp_path / "data").exists()
