"""`wengert jacobian`: the matrix, or the plan for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from wengert.cli.arguments import Arguments, bound
from wengert.cli.asking import takes_function, takes_wrt
from wengert.cli.programs import loaded, running
from wengert.cli.telling import say, say_json, working
from wengert.derivatives.jacobians import jacobian as jacobian_of
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
_MODES = ("auto", "forward", "reverse", "mixed", "coloured", "elimination", "bidirectional")


@click.command(epilog=EPILOG)
@takes_function
@takes_wrt
@click.option("--plan", "planning", is_flag=True, help="Show how it would be made, at what cost.")
@click.option("--sparse", is_flag=True, help="Find its pattern, and compute nothing else.")
@click.option(
    "--mode", type=click.Choice(_MODES), default="auto", show_default=True, help="How it is made."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the matrix to a file (.npz), of NumPy or, with --sparse, of SciPy.",
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
    (forward, reverse, mixed, coloured), what each would cost, and the one that is taken; with
    --sparse also the pattern and its colours.
    """
    program = loaded(target, quiet=as_json)
    arguments = bound(program.function, program.name, at)
    argnums = arguments.argnums(wrt)
    if sparse and mode not in SPARSE_MODES and not planning:
        raise click.BadParameter(
            f"a sparse Jacobian is made by one of {', '.join(SPARSE_MODES)}, not {mode}",
            param_hint="--mode",
        )
    if planning:
        _plan(program, arguments, argnums, mode, sparse, as_json)
        return
    with running(program.file, quiet=as_json), working("computing", quiet=as_json):
        made = jacobian_of(arguments.function, argnums, mode=mode, sparse=sparse)
        found = made(*arguments.values)
    parts = {"jacobian": found} if sparse else _parts(found, arguments, argnums)
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


def _parts(found: Any, arguments: Arguments, argnums: Any) -> dict[str, Any]:
    """The blocks of a dense Jacobian, by the path of the output and the name of the argument."""
    leaves, names = flatten(found)[0], paths(found)
    if len(leaves) == 1:
        return {"jacobian": leaves[0]}
    return {f"jacobian{name}": leaf for name, leaf in zip(names, leaves, strict=True)}


def _write(out: Path, parts: dict[str, Any], sparse: bool) -> None:
    try:
        if sparse:
            module("scipy.sparse").save_npz(out, parts["jacobian"])
        else:
            np.savez(out, **parts)
    except OSError as error:
        raise click.UsageError(f"{out} cannot be written: {error.strerror or error}") from error


def _named(out: Path | None) -> list[str]:
    return [] if out is None else [str(out)]
