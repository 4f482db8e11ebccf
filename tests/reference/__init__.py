"""Slow, literal formulas to test against: loops and math.exp, written from the papers and the design, not from the code."""
