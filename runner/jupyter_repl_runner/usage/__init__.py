"""How much memory and disk a REPL uses, and when it was last used."""
