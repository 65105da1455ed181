"""Hostile bytes for every parser that a stranger reaches: `make fuzz`. A seed is printed; it shows a run again.

A parser answers with a value or with a `MicError`; a door with a refusal. Anything else is a finding.
"""
