"""docs/results.md, its pictures and the README's tables, from the files in results/."""
