"""Labels of users, and what is refused of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from zcproxy import get_task
from zcproxy.adapting.labels import canonical_labels, read_labels
from zcproxy.errors import BenchmarkError

SPACE = get_task("digits201").space
ARCHITECTURES = tuple(get_task("digits201").architectures("all"))[:20]


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text)
    return path


def test_two_columns_are_read_and_others_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffnote,accuracy,architecture\n"a, b",71.5,first\n,2e1, second \n')
    assert read_labels(path) == {"first": 71.5, "second": 20.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'architecture'"),
        ("architecture,label\na,1\n", "has no column 'accuracy'"),
        ("architecture,accuracy\na,1\nb,high\n", "line 3: the accuracy 'high' is not a number"),
        ("architecture,accuracy\na,nan\n", "line 2: the accuracy 'nan' is not finite"),
        ("architecture,accuracy\na\n", "line 2: the accuracy '' is not a number"),
        ("architecture,accuracy\na,1\nb,2\na,3\n", "line 4: 'a' is labelled twice"),
        ('architecture,accuracy\n"a,1\n', "is not a CSV file of labels"),
        ("architecture,accuracy\n" + "a" * 200_000 + ",1\n", "is not a CSV file of labels"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message) as caught:
        read_labels(written(tmp_path, text))
    assert "labels.csv" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"cannot read the labels in .*none\.csv"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(BenchmarkError, match="is not a regular file"):
        read_labels(tmp_path)
    (tmp_path / "labels.csv").write_bytes(b"architecture,accuracy\n\xff,1\n")
    with pytest.raises(BenchmarkError, match="is not a CSV file of labels"):
        read_labels(tmp_path / "labels.csv")


def test_architectures_become_canonical() -> None:
    labels = {text: float(place) for place, text in enumerate(ARCHITECTURES)}
    assert canonical_labels(labels, SPACE) == labels


def test_bad_labels() -> None:
    labels = {text: float(place) for place, text in enumerate(ARCHITECTURES)}
    with pytest.raises(BenchmarkError, match="9 networks have labels: give 10 or more"):
        canonical_labels(dict(list(labels.items())[:9]), SPACE)
    with pytest.raises(BenchmarkError, match="501 networks have labels: give 500 or fewer"):
        canonical_labels({str(place): 1.0 for place in range(501)}, SPACE)
    with pytest.raises(BenchmarkError, match="all 20 accuracies equal 3: there is no ranking"):
        canonical_labels(dict.fromkeys(labels, 3.0), SPACE)
    with pytest.raises(BenchmarkError, match=r"an architecture that is not in nasbench201: .*unheard"):
        canonical_labels({**labels, "unheard of": 3.0}, SPACE)
    with pytest.raises(BenchmarkError, match="is inf: leave that network out"):
        canonical_labels({**labels, ARCHITECTURES[3]: float("inf")}, SPACE)
