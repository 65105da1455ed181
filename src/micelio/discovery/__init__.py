"""Finding projects that one did not know: popular and recent ones with the reasons, by topic and by language.

The rows are derived, and made anew every few minutes.
"""
