"""Who may do what: sign up, sign in, tokens, throttling, and everything about one's own account."""
