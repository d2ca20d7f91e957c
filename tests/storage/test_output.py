"""Files that commands write: never half, never in place of something that is not a regular file."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from zcproxy.errors import StorageError
from zcproxy.storage.files import check_target, replacing, write_text

Command = Callable[..., tuple[int, str, str]]


def test_a_link_is_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    for text in ("new", "newer"):
        write_text(tmp_path / "link", text)
        assert (tmp_path / "there" / "file").read_text() == text
        assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "link", "there"]


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o755])
def test_the_mode_of_a_replaced_file_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    with replacing(path) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == mode
        temporary.write_text("new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", mode)


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_text(tmp_path / "folder" / "new", "text")
    assert (tmp_path / "folder" / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyError("failed")

    with pytest.raises(KeyError):
        fail()
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("file", "old")]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX")
def test_pipes_are_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match=r"cannot write .*pipe"):
        write_text(pipe, "nobody reads")
    found: list[str] = []
    opened = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(opened, True)
    with os.fdopen(opened) as stream:
        reader = threading.Thread(target=lambda: found.append(stream.read()))
        write = threading.Thread(target=write_text, args=(pipe, "text" * 50_000))
        write.start()
        select.select([stream], [], [], 30)  # a pipe without a writer reads as ended
        reader.start()
        write.join(30)
        reader.join(30)
    assert found == ["text" * 50_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
def test_devices_stay_devices(tmp_path: Path) -> None:
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        null = Path("/dev/null")
    write_text(null, "gone")
    assert stat.S_ISCHR(null.stat().st_mode)
    with pytest.raises(StorageError, match="cannot write /dev/full: No space left"):
        write_text(Path("/dev/full"), "text")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/stdout")
@pytest.mark.parametrize("redirected", [False, True])
def test_standard_output_gets_what_is_written_to_it(tmp_path: Path, redirected: bool) -> None:
    code = (
        "from pathlib import Path; from zcproxy.storage.files import *; print('a'); "
        "write_text(Path('/dev/stdout'), 'b\\n')"
    )
    command = [sys.executable, "-c", code + "; print('c')"]
    if redirected:
        with (tmp_path / "file").open("wb") as stream:
            subprocess.run(command, stdout=stream, check=True)
        assert (tmp_path / "file").read_text() == "a\nb\nc\n"
    else:
        assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "a\nb\nc\n"


def test_what_no_file_can_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    names = ["", ".", "..", "/", str(tmp_path), "file/below", "x" * 300, "x/" * 3000 + "y", "nul\0name", "loop"]
    for path in map(Path, names):
        with pytest.raises(StorageError, match="cannot write") as caught:
            write_text(path, "text")
        assert "\n" not in str(caught.value)
    for path in map(Path, ("", ".", "nul\0name", "x" * 300, "loop")):
        with pytest.raises(StorageError, match="cannot write"):
            check_target(path)
    write_text(tmp_path / ("é" * 120), "the longest names of a file system do")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop", "é" * 120]


@pytest.mark.parametrize("out", ["", ".", "folder"])
def test_commands_refuse_a_folder_before_they_work(run: Command, tmp_path: Path, out: str) -> None:
    (tmp_path / "folder").mkdir()
    for words in (["score", "params", "digits201"], ["proxy", "export", "params"], ["network", "export", "nowhere"]):
        code, shown, error = run(*words, "--out", out)
        assert (code, shown) == (2, "")
        assert "is a folder; give the name of a file" in error
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_state_of_a_network_has_a_file_of_its_own(run: Command) -> None:
    code, _, error = run("network", "export", "nowhere", "--out", "network.pt")
    assert code == 2
    assert "is the name of the state" in error
    for words in (["network.onnx"], ["network.py", "--format", "onnx"]):
        code, _, error = run("network", "export", "nowhere", "--out", *words)
        assert code == 2 and "change one of the two" in error
    code, _, error = run("network", "export", "nowhere", "--out", "/dev/null")
    assert code == 2
    assert "is not a regular file" in error
