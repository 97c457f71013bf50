"""``python -m trendscope``."""

from trendscope.cli import main

if __name__ == "__main__":
    main()
