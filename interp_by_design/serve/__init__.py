"""The page of a run from loopback, with live explanation of an image that is sent. Knows nothing of training, and writes nothing.

Imports nothing heavy by itself, so that `interp serve --help` answers at once.
"""
