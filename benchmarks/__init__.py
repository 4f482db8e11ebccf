"""Programs that measure, print a table, and write the same to results/<name>.json. Never part of the tests."""
