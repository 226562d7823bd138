"""What outlives a look: the session, notes, and the looks that undo goes back to."""
