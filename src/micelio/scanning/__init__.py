"""What the forge makes of findings: those that a project lets land, and what is said of the others.

The search itself is `mic.core.scanning`, which clients use too.
"""
