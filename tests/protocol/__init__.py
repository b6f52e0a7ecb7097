"""The owner's protocol in a simulator: real owners, a small model of Kafka, virtual time, one seed a schedule."""
