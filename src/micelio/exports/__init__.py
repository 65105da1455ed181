"""Taking data away and bringing it in: a project whole as an archive, as JSON lines, and what is held about an account.

What is asked for is a run (`micelio.jobs.run`) whose file lies in the store for a day; an archive that comes is checked
whole before anybody sees anything of it.
"""
