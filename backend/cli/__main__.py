import sys

from backend.cli import main

# Workers are started by importing this module anew: they must not run the command once more.
if __name__ == "__main__":
    sys.exit(main())
