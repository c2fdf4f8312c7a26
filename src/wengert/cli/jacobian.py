"""`wengert jacobian`: the matrix, or the plan for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from wengert.cli.arguments import Arguments, bound
from wengert.cli.asking import takes_function, takes_wrt
from wengert.cli.programs import loaded, running
from wengert.cli.telling import say, say_json, working
from wengert.derivatives.jacobians import jacobian as jacobian_of
from wengert.derivatives.mixed.planning import MODES
from wengert.derivatives.sparse import SPARSE_MODES, sparsity
from wengert.lazy import module
from wengert.tracing.trees import flatten, paths

EPILOG = """\b
Examples:
  wengert jacobian program.py:waves --at "x=np.linspace(0, 1, 5)"
  wengert jacobian program.py:waves --at "x=np.linspace(0, 1, 100)" --plan
  wengert jacobian program.py:waves --at "x=np.linspace(0, 1, 100)" --plan --sparse --json
  wengert jacobian program.py:waves --at "x=np.linspace(0, 1, 100)" --sparse --out waves.npz
"""
_ALL_MODES = list(dict.fromkeys((*MODES, *SPARSE_MODES)))


@click.command(epilog=EPILOG)
@takes_function
@takes_wrt
@click.option("--plan", "planning", is_flag=True, help="Show how it would be made, at what cost.")
@click.option("--sparse", is_flag=True, help="Compute its places that are not zero alone.")
@click.option(
    "--mode",
    type=click.Choice(_ALL_MODES),
    default="auto",
    show_default=True,
    help="How it is made.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the matrix to a file in the format .npz, of NumPy or, with --sparse, of SciPy.",
)
def jacobian(
    target: str,
    at: tuple[str, ...],
    as_json: bool,
    wrt: str | None,
    planning: bool,
    sparse: bool,
    mode: str,
    out: Path | None,
) -> None:
    """Compute a Jacobian, or plan it.

    The matrix is dense, or with --sparse one of SciPy's. The plan names every way to make it
    (forward, reverse, mixed, coloured), what each would cost, and the one that is taken; work
    is counted in multiplications. With --sparse it also tells how many places and
    colours the pattern has; --json gives them all.
    """
    program = loaded(target, quiet=as_json)
    arguments = bound(program.function, program.name, at)
    argnums = arguments.argnums(wrt)
    _check_mode(mode, sparse, planning)
    if planning:
        _plan(program, arguments, argnums, mode, sparse, as_json)
        return
    with running(program.file, quiet=as_json), working("computing", quiet=as_json):
        if sparse:
            made = jacobian_of(arguments.function, argnums, mode=mode, sparse=True)
            parts = {"jacobian": made(*arguments.values)}
        else:
            parts = dict(_parts(arguments, arguments.chosen(wrt), mode))
    if out is not None:
        _write(out, parts, sparse)
    if as_json:
        say_json({"function": program.name, "parts": parts, "written": _named(out)})
    elif out is None:
        for name, part in parts.items():
            click.echo(f"{name}, {'×'.join(map(str, np.shape(part))) or 'a number'}")
            click.echo(str(part))
    else:
        click.echo(f"wrote {out}")


def _plan(
    program: Any, arguments: Arguments, argnums: Any, mode: str, sparse: bool, as_json: bool
) -> None:
    """What `wengert.plan` says, and of a sparse one `wengert.sparsity`."""
    plan = module("wengert.derivatives.mixed.reporting").plan
    with running(program.file, quiet=as_json), working("planning", quiet=as_json):
        report = None
        if not (sparse and mode == "bidirectional"):
            report = plan(arguments.function, argnums, mode=mode)(*arguments.values)
        pattern = None
        if sparse:
            method = mode if mode in SPARSE_MODES else "auto"
            pattern = sparsity(arguments.function, argnums, method=method)(*arguments.values)
    if not as_json:
        say(*([] if report is None else [repr(report)]), *([] if pattern is None else [pattern]))
        return
    document: dict[str, Any] = {"function": program.name, "plan": report}
    if pattern is not None:
        rows, columns = pattern.structure
        colours = pattern.colours
        document["sparsity"] = {
            "shape": pattern.shape,
            "places": pattern.nnz,
            "density": pattern.density,
            "method": pattern.method,
            "products": pattern.products,
            "colours": colours,
            "rows": rows,
            "columns": columns,
        }
    say_json(document)


def _parts(
    arguments: Arguments, positions: tuple[int, ...], mode: str
) -> Iterator[tuple[str, Any]]:
    """The blocks of a dense Jacobian, by the name of the argument and the path of the output."""
    for k in positions:
        found = jacobian_of(arguments.function, k, mode=mode)(*arguments.values)
        name = "jacobian" if len(positions) == 1 else f"jacobian[{arguments.names[k]}]"
        leaves = flatten(found)[0]
        if len(leaves) == 1:
            yield name, leaves[0]
        else:
            names = [f"{name}{path}" for path in paths(found)]
            yield from zip(names, leaves, strict=True)


def _check_mode(mode: str, sparse: bool, planning: bool) -> None:
    allowed = SPARSE_MODES if sparse else MODES
    if mode not in allowed and not (sparse and planning):
        raise click.BadParameter(
            f"{mode} is no mode of a {'sparse' if sparse else 'dense'} Jacobian: there are "
            f"{', '.join(allowed)}{'' if sparse else ', and others with --sparse'}",
            param_hint="--mode",
        )


def _write(out: Path, parts: dict[str, Any], sparse: bool) -> None:
    try:
        with out.open("wb") as file:  # given a name, both would add .npz to it
            if sparse:
                module("scipy.sparse").save_npz(file, parts["jacobian"])
            else:
                np.savez(file, **parts)
    except OSError as error:
        raise click.UsageError(f"{out} cannot be written: {error.strerror or error}") from error


def _named(out: Path | None) -> list[str]:
    return [] if out is None else [str(out)]
