"""Requests that the forge makes by itself, to addresses that a setting or a person named: one guarded client.

Whatever goes out goes through here, so that no page can make the forge look around in the network it stands in.
"""
