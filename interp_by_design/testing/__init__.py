"""Conformance suites that users inherit."""
