// Cluster: see docs/ARCHITECTURE.md.
