"""What rooms above are told about sessions."""

from django.dispatch import Signal

# Agents have landed their sessions. Sent with `token_ids`, of the tokens that they came with, in the transaction that
# records it. Landings of people are not told: nothing is added to what they cost.
agents_landed = Signal()

# Keyword `project_id`: the rows of a project follow its log once more. Sent when they are there, by whoever landed.
followed = Signal()

# Keywords `project_id`, `positions`: sessions that have landed say something else since; the rows say it already.
reworded = Signal()
