"""Slow, literal formulas to test against: loops and math.exp, written from the papers and the definitions, not from the code."""
