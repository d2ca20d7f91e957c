"""Epochs in TensorBoard: written by torch, read back by TensorBoard itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callbacks.logged import epochs
from zcproxy.callbacks import TensorBoard

REASON = "reads what TensorBoard reads: pip install 'zcproxy[tensorboard]'"
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason=REASON)

Command = Callable[..., tuple[int, str, str]]


def read(folder: Path) -> Any:
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return found


def scalars(found: Any, name: str) -> list[tuple[int, float]]:
    return [(each.step, pytest.approx(each.value)) for each in found.Scalars(name)]


def text(found: Any, name: str) -> list[str]:
    return [each.tensor_proto.string_val[0].decode() for each in found.Tensors(f"{name}/text_summary")]


def test_every_epoch_is_a_step(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path / "board")
    assert not (tmp_path / "board").exists()
    for epoch in epochs():
        board(epoch)
    board.close()
    found = read(tmp_path / "board")
    assert scalars(found, "tau/training") == [(1, 0.51), (2, 0.52), (3, 0.53)]
    assert scalars(found, "tau/validation") == [(1, 0.25), (2, 0.25)]
    assert scalars(found, "formula/nodes") == [(1, 6.0), (2, 6.0), (3, 6.0)]
    assert scalars(found, "time/seconds")[-1] == (3, 6.0)
    assert scalars(found, "time/formulas_per_second")[0] == (1, 1000.0)
    assert text(found, "formula") == [f"`sum(log(params)) * {number}`" for number in (1, 2, 3)]
    (configuration,) = text(found, "configuration")
    assert "| generations | 10 |" in configuration and "| key | a\\|b |" in configuration
    assert "| probes | noise, ones |" in configuration


def test_each_fit_has_a_folder_and_a_resumed_run_goes_on_in_its_own(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    for epoch in [*epochs(2), *epochs(3)]:
        board(epoch)
    copied = copy.deepcopy(board)
    board.close()
    copied(epochs(1)[0])
    copied.close()
    resumed = TensorBoard(tmp_path)
    resumed(epochs(4)[3])
    resumed.close()
    assert [step for step, _ in scalars(read(tmp_path), "tau/training")] == [1, 2, 4]
    assert [step for step, _ in scalars(read(tmp_path / "fit-2"), "tau/training")] == [1, 2, 3]
    assert [step for step, _ in scalars(read(tmp_path / "fit-3"), "tau/training")] == [1]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    from zcproxy.errors import StorageError

    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write"):
        TensorBoard(tmp_path / "file" / "board")(epochs(1)[0])


def test_a_run_of_the_command_line_is_logged_with_its_options(run: Command, tmp_path: Path) -> None:
    small = ("--networks", "24", "--test-networks", "8", "--probes", "noise", "--workers", "1", "--new-columns", "0")
    code, _, error = run("evolve", "digits201", *small, "--generations", "10", "--out", "run", "--log", "tensorboard")
    assert code == 0, error
    found = read(tmp_path / "run" / "tensorboard")
    assert [step for step, _ in scalars(found, "tau/training")] == [1, 2]
    taus = [each.value for each in found.Scalars("tau/validation")]
    assert len(taus) == 2 and all(-1 <= tau <= 1 for tau in taus)
    assert all(each.value > 0 for each in found.Scalars("time/formulas_per_second"))
    assert "| networks | 24 |" in text(found, "configuration")[0]
    code, _, error = run("evolve", "--resume", "run", "--generations", "15", "--log", "tensorboard", "--workers", "1")
    assert code == 0, error
    again = read(tmp_path / "run" / "tensorboard")
    assert [step for step, _ in scalars(again, "tau/training")] == [1, 2, 3]
