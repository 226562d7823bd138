"""Files that the window writes: views, the report of a run, what is selected. Each is whole, or not there."""
