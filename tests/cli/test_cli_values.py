"""Values on the command line: what they mean, and what they may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from wengert.cli.arguments import bound, pairs
from wengert.cli.values import BadValue, value_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", 2.0),
        ("-1.5e3", -1500.0),
        ("1+2j", 1 + 2j),
        ("True", True),
        ("None", None),
        ("'a text'", "a text"),
        ("int(3)", 3),
        ("2**10", 1024.0),
        ("-2 * pi / 4", -np.pi / 2),
        ("np.inf", np.inf),
        ("(1, 2)", (1.0, 2.0)),
        ("{'a': 1, 'b': (2, 'c')}", {"a": 1.0, "b": (2.0, "c")}),
        ("[]", np.array([])),
        ("[1, 2]", np.array([1.0, 2.0])),
        ("[[1, 2], [3, 4]]", np.array([[1.0, 2.0], [3.0, 4.0]])),
        ("[0] * 3", np.zeros(3)),
        ("np.linspace(0, 1, 5)", np.linspace(0, 1, 5)),
        ("2 * np.ones((2, 3)) @ np.ones(3)", np.full(2, 6.0)),
        ("np.arange(3)", np.arange(3)),
        ("np.array([0, 1], dtype=np.float32)", np.array([0, 1], dtype=np.float32)),
        ("np.arange(6.0).reshape(2, 3).T", np.arange(6.0).reshape(2, 3).T),
        ("np.eye(3)[1, :2]", np.array([0.0, 1.0])),
        ("np.random.default_rng(0).normal(size=3)", np.random.default_rng(0).normal(size=3)),
    ],
)
def test_what_a_value_means(text: str, expected: Any) -> None:
    found = value_of(text)
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def test_lists_that_are_no_arrays() -> None:
    ragged = value_of("[[1, 2], [3]]")
    assert [part.tolist() for part in ragged] == [[1.0, 2.0], [3.0]]
    assert value_of("[{'a': 1}, {'a': 2}]") == [{"a": 1.0}, {"a": 2.0}]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('ls')",
        "open('/etc/passwd')",
        "np.load('x.npy')",
        "np.fromfile('x')",
        "np.ndarray.__subclasses__()",
        "().__class__.__bases__",
        "np.ones(2).tofile('x')",
        "np.ones(2).dump('x')",
        "np.linalg.inv(np.eye(2))",
        "np.random.seed(0)",
        "(lambda: 1)()",
        "[x for x in range(3)]",
        "x := 2",
        "2 if True else 3",
        "9**9**9",
        "[1, 2",
        "1 +",
        "...",
        "b'x'",
        "1/0",
        "np.zeros(-1)",
        "np.reshape([1, 2], 3)",
        "np.ones",
        "[max]",
        "np.random.default_rng(0)",
        "@~nobody-at-all/x.npy",
        "-" * 10_000 + "1",
    ],
)
def test_nothing_else_is_evaluated(text: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadValue):
        value_of(text)
    assert not list(tmp_path.iterdir())


def test_a_name_stands_once_in_a_dictionary() -> None:
    assert value_of("{'a': 1, 'b': [2]}")["a"] == 1.0
    with pytest.raises(BadValue, match="a name is given twice"):
        value_of("{'a': 1, 'a': 2}")


def test_files(tmp_path: Path) -> None:
    one, several = tmp_path / "one.npy", tmp_path / "several.npz"
    np.save(one, np.arange(3))
    np.savez(several, x=np.ones(2), y=np.zeros(1))
    assert value_of(f"@{one}").tolist() == [0, 1, 2]
    assert value_of(f"@{several}:x").tolist() == [1.0, 1.0]
    with pytest.raises(BadValue, match=r"several arrays: write @.*npz:NAME with one of x, y"):
        value_of(f"@{several}")
    with pytest.raises(BadValue, match="has no array 'z': it has x, y"):
        value_of(f"@{several}:z")
    with pytest.raises(BadValue, match="there is no file"):
        value_of(f"@{tmp_path}/none.npy")
    (tmp_path / "text.npy").write_text("not an array")
    with pytest.raises(BadValue, match="no file of NumPy's arrays"):
        value_of(f"@{tmp_path}/text.npy")


def test_files_are_read_without_pickles(tmp_path: Path) -> None:
    path = tmp_path / "objects.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BadValue, match="no file of NumPy's arrays"):
        value_of(f"@{path}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w1=2,w2=3", [("w1", "2"), ("w2", "3")]),
        (" a = 1 , b=[1, [2, 3]] ", [("a", "1"), ("b", "[1, [2, 3]]")]),
        ("x=np.full((2, 2), 1),k='a,b'", [("x", "np.full((2, 2), 1)"), ("k", "'a,b'")]),
        ("d={'a': 1, 'b': 2},", [("d", "{'a': 1, 'b': 2}")]),
        ("x=@a.npz:y,b=1", [("x", "@a.npz:y"), ("b", "1")]),
        ("s='=',t=1", [("s", "'='"), ("t", "1")]),
    ],
)
def test_pairs(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(pairs(text)) == expected


@pytest.mark.parametrize("text", ["", "2", "w1", "w1=", "=2", "1x=2", "a=1,,b=2"])
def test_what_is_no_pair(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no NAME=VALUE"):
        list(pairs(text))


# ------------------------------------------------------------------------------ parameters


def test_arguments_go_to_their_places() -> None:
    def f(a, b=10.0, c=20.0, *, k=1):
        return a, b, c, k

    found = bound(f, "f", ["c=3,a=1", "k=4"])
    assert found.function(*found.values) == (1.0, 10.0, 3.0, 4.0)
    assert found.names == ("a", "b", "c")
    assert found.chosen(None) == (0, 2)  # b has its default, and is not differentiated by
    assert found.chosen("b, a") == (1, 0)
    assert found.argnums("c") == 2
    function, point = found.restricted("c")
    assert function(7.0) == (1.0, 10.0, 7.0, 4.0)
    assert point == (3.0,)


def test_arguments_without_end() -> None:
    def f(a, *xs, **named):
        return a, xs, named

    found = bound(f, "f", ["a=1,xs=(2, 3),u=4"])
    assert found.function(*found.values) == (1.0, (2.0, 3.0), {"u": 4.0})
    assert found.names == ("a", "xs[0]", "xs[1]")


def test_whole_numbers_where_they_are_asked_for() -> None:
    def f(n: int, m: int = 3, x: float = 1.0):
        return n

    found = bound(f, "f", ["n=5,x=2,m=4"])
    assert [type(value) for value in found.values] == [int, int, float]
    assert found.chosen(None) == (2,)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a=1"], r"f\(a, beta, c\) needs a value for beta, for example --at beta=1"),
        ([], r"needs a value for a, beta, for example --at a=1,beta=1"),
        (["a=1,beat=2"], r"f has no argument 'beat': it takes a, beta, c. Did you mean beta\?"),
        (["a=1", "a=2"], "a is given twice"),
        (["a=1,beta=two"], r"beta=two: there is no 'two' here \(a text is written in quotes"),
    ],
)
def test_what_is_said_of_wrong_arguments(texts: list[str], message: str) -> None:
    def f(a, beta, c=0.0):
        return a

    with pytest.raises(click.UsageError, match=message):
        bound(f, "f", texts)


def test_nothing_to_differentiate_by() -> None:
    found = bound(lambda n: n, "f", ["n=int(3)"])
    with pytest.raises(click.UsageError, match="nothing to differentiate by"):
        found.chosen(None)
    with pytest.raises(click.BadParameter, match="'m' is no argument here: there is n"):
        found.chosen("m")
