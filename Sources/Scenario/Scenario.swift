// Scenario: see docs/ARCHITECTURE.md.
