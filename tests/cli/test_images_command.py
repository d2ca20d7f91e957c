"""Every command on an imported benchmark, from a data directory that holds nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from nds_entries import made_entries
from PIL import Image

from zcproxy import load_proxy
from zcproxy.images import own as own_images
from zcproxy.images.image_sets import FILE

Command = Callable[..., tuple[int, str, str]]
TASK = "nds/vanilla-lr-wd-imagenet"
CROPS = "crops of two photographs in place of imagenet"


@pytest.fixture
def fresh(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Run commands where one file was imported into an empty data directory."""
    directory = tmp_path / "data"
    directory.mkdir()
    monkeypatch.setenv("ZCPROXY_DATA", str(directory))
    (tmp_path / "Vanilla_lr-wd_in.json").write_text(json.dumps(made_entries("Vanilla", 40)))
    code, _, shown = run("benchmark", "import", "nds", "Vanilla_lr-wd_in.json", "--trust")
    assert code == 0 and "40 networks" in shown
    yield run
    assert not (directory / "images").exists()


def pictures(folder: Path, count: int = 16, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for index in range(count):
        place = folder / "ab"[index % 2] / f"{index}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (70 + index, 90, 3), dtype=np.uint8)).save(place)
    return folder


@pytest.mark.parametrize("proxy", ["params", "zc-general"])
def test_what_needs_no_pixels_needs_no_images(
    fresh: Command, proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sklearn.datasets.load_sample_image", lambda name: pytest.fail("pixels were read"))
    code, _, shown = fresh("score", proxy, TASK, "--networks", "3", "--workers", "1")
    assert code == 0 and "images:" not in shown, shown


def test_score_and_table_say_what_stands_in(fresh: Command, tmp_path: Path) -> None:
    common = (TASK, "--networks", "3", "--workers", "1")
    code, _, shown = fresh("score", "naswot", *common)
    assert code == 0 and f"images: {CROPS} (to use others, give --images)" in shown, shown
    code, _, shown = fresh("table", *common, "--proxies", "naswot,params", "--out", "tables")
    assert code == 0 and f"Images: {CROPS}." in shown, shown
    assert f"- Images: {CROPS}." in (tmp_path / "tables/table.md").read_text()
    assert f"% {TASK}: images: {CROPS}" in (tmp_path / "tables/table.tex").read_text()
    assert CROPS in (tmp_path / "tables/table.csv").read_text()


EVOLVE = (
    "--use-set-aside",
    "--networks",
    "16",
    "--test-networks",
    "4",
    "--generations",
    "1",
    "--new-columns",
    "0",
    "--workers",
    "1",
)


def test_evolve(fresh: Command, tmp_path: Path) -> None:
    code, _, shown = fresh("evolve", TASK, *EVOLVE, "--probes", "data", "--without", "gradients", "--out", "r")
    assert code == 0 and f"images: {CROPS}" in shown, shown
    assert load_proxy(tmp_path / "r/best.json").provenance["images"] == {TASK: CROPS}


def test_a_run_keeps_the_images_that_it_was_begun_with(run: Command, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "mine")
    begun = ("evolve", "digits201", *EVOLVE, "--probes", "data", "--images", str(folder), "--out", "r")
    code, _, shown = run(*begun)
    assert code == 0 and "images: mine (16 images, sha256 " in shown, shown
    proxy = load_proxy(tmp_path / "r/best.json")
    description = proxy.provenance["images"]["digits201"]
    assert description.startswith("mine (16 images, sha256 ")
    assert all(item.get("images") == description for item in proxy.correlations) == proxy.needs_images
    assert json.loads((tmp_path / "r" / FILE).read_text())["shown"]["digits201"]["description"] == description
    before = (tmp_path / "r/best.json").read_bytes()
    shutil.move(folder, tmp_path / "moved")
    assert run("evolve", "--resume", "r", "--workers", "1")[0] == 0  # the kept copy
    assert (tmp_path / "r/best.json").read_bytes() == before
    shutil.rmtree(tmp_path / "cache")
    own_images._kept.cache_clear()  # another process knows nothing of it
    code, _, shown = run("evolve", "--resume", "r", "--workers", "1")
    assert code == 2 and "the images mine (sha256" in shown and "give them again with --images" in shown, shown
    code, _, shown = run("evolve", "--resume", "r", "--images", str(pictures(tmp_path / "mine", seed=1)))
    assert code == 2 and "the run was started with other images" in shown, shown
    assert run("evolve", "--resume", "r", "--workers", "1", "--images", str(tmp_path / "moved"))[0] == 0


SEARCH = ("--evaluations", "4", "--population", "4", "--workers", "1")


def test_search(fresh: Command) -> None:
    code, _, shown = fresh("search", TASK, "--proxy", "total_params", *SEARCH, "--out", "s")
    assert code == 0 and "images" not in shown, shown


def test_a_search_shows_its_proxy_the_users_images(run: Command, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "mine")
    fronts = []
    for name, option in (("own", ("--images", str(folder))), ("brought", ())):
        code, _, shown = run("search", "digits201", "--proxy", "snip", *SEARCH, *option, "--out", name)
        assert code == 0 and ("images: mine" if option else "images: those of digits201") in shown, shown
        fronts.append((tmp_path / name / "front.csv").read_text())
    assert fronts[0] != fronts[1]
    shutil.move(folder, tmp_path / "moved")
    code, _, shown = run("search", "--resume", "own", "--workers", "1")
    assert code == 0 and "images: mine" in shown, shown
    assert (tmp_path / "own/front.csv").read_text().split(",seconds")[0] == fronts[0].split(",seconds")[0]


def test_a_model_of_ones_own_is_shown_ones_own_images(run: Command, tmp_path: Path) -> None:
    (tmp_path / "images_model.py").write_text(
        "import torch\nfrom torch import nn\n\n\ndef factory():\n"
        "    torch.manual_seed(0)\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))\n"
    )
    folder = pictures(tmp_path / "mine")
    scores = []
    for option in ((), ("--images", str(folder))):
        code, out, shown = run("score", "snip", "--model", "images_model:factory", "--input", "3x8x8", *option)
        assert code == 0 and ("images: mine" if option else "Gaussian noise") in shown, shown
        scores.append(float(out))
    assert scores[0] != scores[1] and min(scores) > 0
    code, _, shown = run(
        "score", "snip", "--model", "images_model:factory", "--input", "3x8x8", "--images", str(tmp_path / "nowhere")
    )
    assert code == 2 and "give a folder of pictures, an npz file, or package.module:function" in shown, shown
