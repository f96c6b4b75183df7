"""What must change: Stack + Observed → Plan. Pure: no clock, no randomness, no I/O."""
