"""Access tokens that do less than their account: personal ones with scopes, and an agent's for one session."""
