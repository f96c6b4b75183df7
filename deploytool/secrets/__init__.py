"""Secret values at rest and at run time. Values leave this room only towards a secrets volume."""
