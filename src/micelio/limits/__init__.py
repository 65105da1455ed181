"""How many requests come from one address, account, token or session of an agent, counted in this process's memory.

Values and counters only: the doors ask, and answer who asked too much.
"""
