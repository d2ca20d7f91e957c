"""The commands `zcproxy benchmark ...`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from zcproxy.benchmarks.built import BuiltTask
from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.display import RunDisplay, console
from zcproxy.errors import ConfigurationError
from zcproxy.training.build import build_benchmark
from zcproxy.training.configuration import BuildConfiguration
from zcproxy.training.recipe import Recipe

app = typer.Typer(help="Make a benchmark of one's own.", no_args_is_help=True)

DEFAULT_RECIPE = Recipe()


@app.callback()
def _commands() -> None:
    """Make a benchmark of one's own."""


@app.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder to write; one that holds a part of the same build is continued.")],
    space: Annotated[str, typer.Option(help="nasbench201, or package.module:name of your own.")],
    dataset: Annotated[str, typer.Option(help="digits, cifar10:FOLDER, cifar100:FOLDER, hf:NAME, or module:function.")],
    networks: Annotated[int, typer.Option(help="Architectures to train.")] = 200,
    seeds: Annotated[int, typer.Option(help="Trainings of each; the label is their mean accuracy.")] = 3,
    space_option: Annotated[list[str] | None, typer.Option(help="Option of the space, such as channels=6.")] = None,
    sampling: Annotated[str, typer.Option(help="uniform, or stratified by MACs.")] = "uniform",
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = DEFAULT_RECIPE.epochs,
    batch_size: Annotated[int, typer.Option(help="Images of a training step.")] = DEFAULT_RECIPE.batch_size,
    learning_rate: Annotated[float, typer.Option(help="Of the first step.")] = DEFAULT_RECIPE.learning_rate,
    weight_decay: Annotated[float, typer.Option(help="L2, on all parameters.")] = DEFAULT_RECIPE.weight_decay,
    augmentation: Annotated[
        str | None, typer.Option(help="none, crop or crop-flip; the dataset's own if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sample of architectures.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    workers: Annotated[int, typer.Option(min=1, help="Processes; the table does not depend on it.")] = 2,
) -> None:
    """Train a sample of architectures and write a benchmark that every command takes like a published one."""
    recipe = Recipe(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        augmentation=augmentation or load_dataset(dataset).augmentation,
    )
    configuration = BuildConfiguration(
        space=space,
        dataset=dataset,
        networks=networks,
        seeds=seeds,
        sampling=sampling,
        seed=seed,
        space_options=parse_options(space_option or ()),
        recipe=recipe,
        device=device,
    )
    with RunDisplay() as display:
        trained = build_benchmark(configuration, out, workers=workers, progress=display.training)
    labels = sorted(item.label for item in trained)
    diverged = sum(training.diverged for item in trained for training in item.trainings)
    ceiling = BuiltTask(out).noise_ceiling()
    agree = "" if ceiling is None else f"; two labels agree at about tau {ceiling:.2f}"
    console.print(
        f"{len(trained)} architectures, accuracy {labels[0]:.1f} to {labels[-1]:.1f} %, median "
        f"{labels[len(labels) // 2]:.1f} %; {diverged} trainings diverged{agree}\n"
        f"written: {out}\nnext: zcproxy evolve {out}",
        highlight=False,
        soft_wrap=True,
    )


def parse_options(texts: Iterable[str]) -> dict[str, int]:
    """Return the options written `name=number`. Raises `ConfigurationError`."""
    found = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not name.isidentifier() or not number.isdigit():
            raise ConfigurationError(f"cannot read the space option '{text}': write for example channels=6")
        found[name] = int(number)
    return found
