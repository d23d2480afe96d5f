"""One cell or field of a source -> a text, a day, a number, a phone number."""
