"""Random commands in two working copies of one project, beside a model that knows lines of text alone.

Every line that is written is written once, so a line is known wherever it is. See docs/contributors/tests.md.
"""
