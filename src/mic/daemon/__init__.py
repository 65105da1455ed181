"""A process that keeps watch over working copies, so that `mic status` need not look at each file.

Never needed: whoever gets no answer from it does the work itself.
"""
