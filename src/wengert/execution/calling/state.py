"""The memory that the code of an entry reads: these words, then addresses of its own."""

FUNCTION = 0
"""The machine code of the entry."""
NEXT = 1
"""The state of the next entry."""
OWNER = 2
"""The Python object that owns the state and the code."""
FINISH = 3
"""The way out."""
PROGRAM = 4
"""The compiled program."""
TABLE = 5
"""What the program takes for its table."""
ARENA = 6
"""Scratch memory that no call is using, or 0."""
COMMON_WORDS = 7
