"""Comparison of runs: values, console table and page."""
