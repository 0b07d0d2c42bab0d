// Report: see docs/ARCHITECTURE.md.
