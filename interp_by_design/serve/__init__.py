"""The report of a run from this machine, with live explanations of images."""
