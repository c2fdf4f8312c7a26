"""What the report says: functions that make a `Section` of what a program found."""
