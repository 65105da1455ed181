"""What another forge knew of a project besides its Git history: issues, pull requests, reviews, in one neutral form.

It is fetched through that forge's API, searched for secrets, and kept in the store beside the project's history.
"""
