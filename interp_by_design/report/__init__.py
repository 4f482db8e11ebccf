"""Files for people: the report of a run, comparisons of runs, studies, and tables on the screen."""
