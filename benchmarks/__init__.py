"""Programs that measure, print a table, and write it to results/<name>.json."""
