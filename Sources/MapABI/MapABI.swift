// The layouts and numbers of `bpf/abi` are MapABI's own: who imports it sees them.
@_exported public import CDatapath
