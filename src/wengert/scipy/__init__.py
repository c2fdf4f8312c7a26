"""SciPy's namespaces for traced arrays, and SciPy itself where nothing is traced.

Each module has the name of SciPy's and offers its functions: those that are traced, by SciPy's
names, signatures and defaults, and SciPy's own for the rest. SciPy's ufuncs (`scipy.special.expit`)
take traced arrays by themselves; its other functions do not know of them, and are called from here.
"""
