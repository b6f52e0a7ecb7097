"""Who may do what: TLS, users, rights, and what must not be told."""
