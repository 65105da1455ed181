"""What an agent wrote down of its work, read into turns of a conversation: Claude Code's and Codex's JSON Lines.

Both forms belong to their programs and change with them, so nothing is refused that is not understood: lines that say
nothing known are counted by their kind, lines that are no JSON are named, and the rest is read.
"""

from __future__ import annotations

from mic.core.transcript.read import MAX_BYTES, read_transcript
from mic.core.transcript.turns import Call, Damage, Tokens, Transcript, Turn
from mic.core.transcript.words import messages, turn_text

__all__ = [
    "MAX_BYTES",
    "Call",
    "Damage",
    "Tokens",
    "Transcript",
    "Turn",
    "messages",
    "read_transcript",
    "turn_text",
]
