"""What rooms above are told about accounts, inside the transaction of the act."""

from django.dispatch import Signal

# Every sign-in of `user` ends now. Sent with `actor`, `user`, and `tokens_too`: whether personal tokens end as well.
sign_ins_end = Signal()
