// Kernel: see docs/ARCHITECTURE.md.
