"""`python -m clerestory` is the command line."""

from clerestory.cli import main

if __name__ == "__main__":
    main()
