"""Programs within a budget of bytes: what is kept, what is computed again, and when.

    problem     entries that read entries, schedules of them, and the exact course of a schedule
    orders      orders that take little memory with nothing computed twice
    chains      Revolve's schedules, for programs whose first part is a line of states
    evict       greedy eviction with known next use
    exact       the cheapest schedule of a small program
    improve     what there is room to keep is kept
    search      the plan: all of these, for a second at most
    amounts     "200MB" as bytes
    sizes       bytes and work of nodes as NumPy computes them
    graphs      the problem of a graph
    program     a schedule as calls of NumPy
    native      a schedule as calls of machine code

What counts: the arrays that the program reads (inputs and captured arrays, once), what it gives,
and all that it holds meanwhile, temporaries and workspaces of the ops included. What does not: the
graph, the plan and the objects of the trace, which are some kilobytes a node.
"""
