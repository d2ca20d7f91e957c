"""The fuzzing suite: seeded attacks on what zcproxy reads, one file a subject, and what is promised of every answer.

A command exits with 0, 1 or 2 (130 or 143 where a signal stops it), in time, without a traceback; a refusal is one line
of at most 500 characters; no control character reaches the terminal; nothing is executed; no process dies or is left
behind; no number is wrong. `python -m fuzz` runs it, `make fuzz` for a given time; a sample is part of the tests.
"""
