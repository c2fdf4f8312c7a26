"""The command line, `wengert`: one file a command.

group        the command itself, and what it says of the others
programs     the function in somebody's file, and what it says when it raises
arguments    `--at w1=2,w2=3`: values for the parameters of a function
values       one value: a literal, or a call of NumPy's
asking       what the commands that take a function have in common
telling      what goes to the terminal, and what another program reads
"""

from wengert.cli.group import main

__all__ = ["main"]
