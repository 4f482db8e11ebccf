"""Slow, literal reference formulas, written from the papers and the definitions."""
