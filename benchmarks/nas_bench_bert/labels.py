"""The labels of NAS-Bench-BERT, read from its file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from zcproxy.benchmarks.nas_bench_bert.encoder import EncoderLayer
from zcproxy.benchmarks.nas_bench_bert.space import Choice, FlexiBertSpace
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, KnownFile, TableSource
from zcproxy.errors import BenchmarkError
from zcproxy.reading.plain_values import dictionary, finite_number, read_json, whole_number

NAME, GLUE = "BERT_benchmark.json", "glue"


def convert(contents: Sequence[bytes]) -> Converted:
    """Return the table in the file: the mean of GLUE's tasks, averaged over the trainings of an encoder.

    Raises:
        BenchmarkError: it is something else.
    """
    try:
        entries = read_json(contents[0])
        if not isinstance(entries, list):
            raise TypeError(f"a {type(entries).__name__} stands for a list of encoders")
    except (TypeError, ValueError) as error:
        raise BenchmarkError(f"{NAME} is not a list of encoders: {error}") from error
    found: dict[str, list[float]] = {}
    for place, entry in enumerate(entries):
        try:
            architecture = architecture_of(dictionary(entry))
            found.setdefault(architecture, []).append(finite_number(dictionary(entry["scores"])[GLUE]))
        except (BenchmarkError, KeyError, TypeError, ValueError) as error:
            raise BenchmarkError(f"{NAME}: entry {place} is not an encoder with its scores: {error}") from error
    rows = [[text, sum(scores) / len(scores)] for text, scores in found.items()]
    return Converted(pd.DataFrame(rows, columns=[ARCHITECTURE, GLUE]))


def architecture_of(entry: dict[str, Any]) -> str:
    """Return the text of the encoder of an entry. Raises `BenchmarkError`, KeyError or TypeError for another one."""
    chosen = dictionary(dictionary(entry["hparams"])["model_hparam_overrides"])
    layers = tuple(map(_layer_of, dictionary(chosen["nas_config"])["encoder_layers"]))
    return FlexiBertSpace().parse(Choice(whole_number(chosen["hidden_size"]), layers).text)


def _layer_of(described: object) -> EncoderLayer:
    layer = dictionary(described)
    kind, parameter = layer["operation_type"], layer["operation_parameter"]
    known = {("SA", "SDP"): "sdp", ("SA", "WMA"): "wma", ("LT", "DFT"): "dft", ("LT", "DCT"): "dct"}
    operation = f"dsc{whole_number(parameter)}" if kind == "DSC" else known[kind, parameter]
    numbers = ("num_operation_heads", "feed_forward_dimension", "num_feed_forward")
    return EncoderLayer(operation, *(whole_number(layer[name]) for name in numbers))


TABLE = TableSource(
    "nas_bench_bert",
    "labels",
    (KnownFile(NAME, "fa2ff7198dcd71e0b8021ed2ace1c221672c33cc56931b6dff31fda3d044784f"),),
    convert,
    (GLUE,),
    labels=(GLUE,),
)
