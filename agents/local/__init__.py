"""What runs on this machine alone: the local broker and the processes that `up` looks after."""
