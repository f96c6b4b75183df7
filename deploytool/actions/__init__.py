"""What an operator does, one file each. Actions return data; they never print."""
