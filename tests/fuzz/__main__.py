"""The driver: `python -m fuzz --minutes 30`, or `--subject NAME --tries N`; see `fuzz.campaign`."""

from fuzz.campaign import main

if __name__ == "__main__":
    main()
