"""Running a function on tracers: sessions, forcing, views, operators, structures at the border."""

from wengert.tracing import operators as operators  # sets the operators on the tracer
