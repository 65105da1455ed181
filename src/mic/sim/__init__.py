"""Deterministic simulation of landing: the production protocols under virtual time and every fault.

One seed decides everything: who asks what when, how long each request takes, and what fails. Nothing in
here runs in production, and nothing outside imports it.
"""
