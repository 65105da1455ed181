"""What the command line takes, beside git in the same run."""
