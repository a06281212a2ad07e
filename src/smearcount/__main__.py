"""``python -m smearcount``: the command line."""

from smearcount.cli import main

if __name__ == "__main__":
    main()
