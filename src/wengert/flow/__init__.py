"""Structured control flow: loops, branches and solutions that are one operation of the graph."""
