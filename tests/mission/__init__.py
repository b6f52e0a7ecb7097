"""The rows of the mission, each as the story a command-room officer would tell, on a real broker."""
