"""What goes to other programs: JSON that any parser takes."""

from __future__ import annotations

import json
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from wengert.cli.telling import plain, working


@dataclass
class Record:
    a: int
    _private: int = 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([[1.0, np.nan], [np.inf, -2.5]]), [[1.0, None], [None, -2.5]]),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (float("nan"), None),
        (np.array([1 + 2j]), [{"real": 1.0, "imag": 2.0}]),
        (np.array(["a"]), ["a"]),
        ((1, "a", None), [1, "a", None]),
        (Record(2), {"a": 2}),
        (namedtuple("Pair", "x y")(1, 2.0), {"x": 1, "y": 2.0}),
        ({1: np.zeros(2)}, {"1": [0.0, 0.0]}),
        (np.dtype("float32"), "float32"),
        (
            scipy.sparse.csr_array([[0.0, 2.0]]),
            {"shape": [1, 2], "rows": [0], "columns": [1], "values": [2.0]},
        ),
    ],
)
def test_plain(value: Any, expected: Any) -> None:
    found = plain(value)
    assert found == expected
    assert json.loads(json.dumps(found, allow_nan=False)) == expected


def test_no_progress_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with working("busy") as now:
        now("busier")
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with working("busy", parts=2) as now:
        now("first part")
    out, err = capsys.readouterr()
    assert out == ""
    assert "first part" in err
    with working("busy", quiet=True):
        pass
    assert capsys.readouterr() == ("", "")
