"""Files: what is not a regular file is refused before it is opened."""

import os
import socket
from pathlib import Path

import pytest

from zcproxy.errors import StorageError
from zcproxy.storage.files import check_regular


def test_regular_files_links_to_them_and_missing_files_pass(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    (tmp_path / "link").symlink_to(file)
    for path in (file, tmp_path / "link", tmp_path / "missing"):
        check_regular(path)


def test_pipes_devices_sockets_and_folders_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    for path in (tmp_path / "pipe", tmp_path / "zeros", tmp_path / "socket", tmp_path):
        with pytest.raises(StorageError, match="is not a regular file"):
            check_regular(path)


def test_a_name_that_the_system_refuses_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / ("x" * 300), tmp_path / "nul\0", tmp_path / "loop"):
        with pytest.raises(StorageError, match="cannot read"):
            check_regular(path)
