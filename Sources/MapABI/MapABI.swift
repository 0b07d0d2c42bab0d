// MapABI: see docs/ARCHITECTURE.md.
