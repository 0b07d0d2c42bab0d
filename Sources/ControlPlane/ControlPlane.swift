// ControlPlane: see docs/ARCHITECTURE.md.
