"""What a command is about: the project, the open session, the place that a ref names."""
