"""The rental API's reports -> leads."""
