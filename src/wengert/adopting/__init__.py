"""Code that nobody wrote for traced arrays: modules are adopted when they would drop one."""

from wengert.adopting import curing  # noqa: F401 (provides the cure)
