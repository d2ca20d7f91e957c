"""The adapter to DEAP: primitive sets, individuals, the toolbox, and what hides the faults of DEAP 1.4.4.

What DEAP does: it holds formulas (`gp.PrimitiveSetTyped`, `gp.PrimitiveTree`, `base.Fitness`), names the operators of a
run (`base.Toolbox`), and offers crossovers, mutations, limits of size, selections of parents and survivors, statistics
and logbooks. What zcproxy does itself stands in the modules below, each with its reason.
"""
