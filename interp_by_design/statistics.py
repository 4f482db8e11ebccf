"""Correlation, standardisation, R² and principal components, as pure functions."""
