"""Mixed mode: whole Jacobians by other ways than one pass forward or one in reverse.

linearised    the graph of what depends on the inputs, and what one column or row costs
waists        the narrowest sets of nodes that all dependence goes through
chain         the cheapest way to multiply the Jacobians of the parts between them
evaluating    the graph of the Jacobian by such a way
elimination   for programs of numbers: vertex elimination
planning      what each way would cost, and which is taken
reporting     the public `plan`
"""
