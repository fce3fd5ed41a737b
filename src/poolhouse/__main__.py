"""``python -m poolhouse``."""

from poolhouse.cli import main

if __name__ == "__main__":
    main()
