"""Pure values and algorithms: identities, trees, records, sessions, diffs. No I/O, no clock, no randomness.

Everything here can be tested with literals and run inside the simulator.
"""
