"""Projects in the store, with the templates and archives that they are made from. Knows nothing of runners."""
