"""`wengert`, and the commands in it.

Exit statuses, the same in all commands:

    0    done; where something was asked, the answer is yes
    1    the answer is no (derivatives disagree, a budget cannot be held), or something is missing
    2    the command line is wrong: a file, a function, an argument, a value, an option
    3    the program raised, or cannot be differentiated
"""

from __future__ import annotations

import click

from wengert.cli.bench import bench
from wengert.cli.check import check
from wengert.cli.closed_form import closed_form
from wengert.cli.demo import demo
from wengert.cli.explain import explain
from wengert.cli.jacobian import jacobian
from wengert.cli.memory import memory

EPILOG = """\b
A FUNCTION is named by its file, program.py:f, or by its module, package.module:f.
Its arguments are given by name, as in --at w1=2,w2=3. A value is
  2, -1.5e3, 1+2j, [1, 2], {'a': 1}   a literal; lists become arrays
  np.linspace(0, 1, 5)                a call of a function of NumPy's that makes or maps arrays
  @file.npy                           an array from a file; @file.npz:name from several
A whole number is taken as a float, since derivatives need one: write int(3) for a whole one.

\b
The exit status is 0 when it is done; 1 when the answer is no, or something is missing; 2 when the
command line is wrong; 3 when the program raised or cannot be differentiated.

\b
Completion in the shell, for bash (zsh and fish likewise):
  eval "$(_WENGERT_COMPLETE=bash_source wengert)"
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="wengert", message="%(package)s %(version)s")
def main() -> None:
    """Automatic differentiation for people who write NumPy."""


for command in (explain, closed_form, check, jacobian, memory, bench, demo):
    main.add_command(command)
