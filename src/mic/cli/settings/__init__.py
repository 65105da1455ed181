"""What a person set for `mic`, which releases it trusts, and what it would tell about its use."""
