"""Landing and history: the protocols that make a project's one line of history, and its public face.

`Project` is the face. Everything below it that touches the store is a generator of effects
(`mic.ledger.effects`) and holds no thread, clock or randomness of its own.
"""
