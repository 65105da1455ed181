"""Reading Git repositories: raw objects, first-parent history, and what each commit changed.

Nothing here runs Git, a hook or a filter, and nothing is written to the repository that is read.
"""
