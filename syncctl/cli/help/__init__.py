"""What the program says about itself: help, usage errors, completion, the man page."""
