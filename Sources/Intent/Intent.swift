// Intent: see docs/ARCHITECTURE.md.
