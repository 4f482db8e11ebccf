"""`python -m interp_by_design` is the command `interp`."""

from interp_by_design.cli import main

if __name__ == "__main__":
    main()
