"""What a person or a script sees: output, errors, exit codes, help, pager, progress."""
