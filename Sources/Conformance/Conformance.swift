// Conformance: see docs/ARCHITECTURE.md.
