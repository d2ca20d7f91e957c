"""Text from outside: made safe to show, to write into files, and to read as numbers."""
