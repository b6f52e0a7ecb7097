"""The root: settings, topics, policy, flow, ticks, metrics, and the command line's refusals."""
