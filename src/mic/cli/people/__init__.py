"""Accounts, organizations, projects, and who may do what in them."""
