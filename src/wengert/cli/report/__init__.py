"""The report that `wengert demo` ends with: one page of HTML, to read and to print.

    writing      the page: heading, contents, sections
    markup       tables, figures and numbers as HTML
    figures      pictures of matplotlib's as SVG in the page's own colours
    style        how it looks, in light, in dark and on paper
    sections/    what it says, one file a subject

All numbers in it are those of the run that wrote it, but for the benchmarks, which `make bench`
wrote and which say so.
"""
