"""The only room that prints: for people in lines, for programs as JSON of a versioned shape."""
