"""People: accounts, sign-in, tokens, and the one namespace of handles that organizations share."""
