"""`python -m xception_np`: the command line, also where its program is not on the path."""

from xception_np.cli import main

if __name__ == "__main__":
    main()
