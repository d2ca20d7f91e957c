"""Files of zcproxy: written whole or not at all, checked when they are read, claimed by one run."""
