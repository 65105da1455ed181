"""A crowd at the sign-in of one forge, and what it is like for everybody else meanwhile."""
