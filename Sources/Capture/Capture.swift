// Capture: see docs/ARCHITECTURE.md.
