"""Looks at the whole: the machinery, the data, the health at a glance, the history, the installation."""
