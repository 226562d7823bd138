"""What a model looks at: maps over images, words, frames and edges."""
