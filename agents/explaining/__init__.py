"""A ticket's story in an officer's words: each event, each deadline, and why it is when it is."""
