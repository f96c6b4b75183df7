"""One file per thing an operator does; each returns data and prints nothing."""
