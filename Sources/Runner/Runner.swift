// Runner: see docs/ARCHITECTURE.md.
