// Datapath: see docs/ARCHITECTURE.md.
