"""The forge under mixed load for half an hour: does anything grow that should not?"""
