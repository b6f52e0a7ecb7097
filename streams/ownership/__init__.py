"""One owner per partition: seats, the changelog, the transaction."""
