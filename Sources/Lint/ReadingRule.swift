import Cluster

/// What reading a manifest finds by itself, with the ids that `Manifests` gives.
public enum ReadingRule: String, Hashable, Sendable, CaseIterable {
  // The text.
  case yamlSyntax = "yaml-syntax"
  case wrongType = "wrong-type"
  case unknownKind = "unknown-kind"
  case unknownField = "unknown-field"
  case unknownValue = "unknown-value"
  case missingField = "missing-field"
  case invalidValue = "invalid-value"
  case conflict
  case booleanLetter = "boolean-letter"
  case duplicateObject = "duplicate-object"
  case duplicateName = "duplicate-name"
  case duplicatePort = "duplicate-port"
  case ignoredNamespace = "ignored-namespace"
  case invalidLabel = "invalid-label"
  case invalidSelector = "invalid-selector"
  case selectorMismatch = "selector-mismatch"
  case preferenceNotFollowed = "preference-not-followed"
  case unmodelledKind = "unmodelled-kind"
  case unmodelledField = "unmodelled-field"
  case unmodelledValue = "unmodelled-value"

  // Cilium policies that are refused as a whole.
  case missingSelector = "missing-selector"
  case twoSelectors = "two-selectors"
  case nodeSelectorInNamespace = "node-selector-in-namespace"
  case noDirection = "no-direction"
  case combinedPeers = "combined-peers"
  case exceptOutside = "except-outside"
  case goneField = "gone-field"
  case icmpsWithPorts = "icmps-with-ports"
  case tooMany = "too-many"
  case emptyPort = "empty-port"
  case emptyName = "empty-name"
  case emptyList = "empty-list"
  case listenerOnIngress = "listener-on-ingress"
  case listenerWithL7 = "listener-with-l7"
  case noL7Kind = "no-l7-kind"
  case twoL7Kinds = "two-l7-kinds"
  case dnsOnIngress = "dns-on-ingress"
  case dnsWithoutPort = "dns-without-port"
  case dnsPortRange = "dns-port-range"
  case l7OnHost = "l7-on-host"
  case l7NotTCP = "l7-not-tcp"
  case l7OnPortZero = "l7-on-port-zero"
  case sniWithL7 = "sni-with-l7"

  public var severity: Finding.Severity {
    switch self {
    case .booleanLetter, .ignoredNamespace, .preferenceNotFollowed: .warning
    case .unmodelledKind, .unmodelledField, .unmodelledValue: .unmodelled
    default: .error
    }
  }

  /// Who refuses the object in a cluster: both, where it depends on the field. Empty for what stops before a
  /// cluster, and for what is taken.
  public var refusedBy: [Finding.Authority] {
    switch self {
    case .wrongType, .unknownKind, .unknownField, .conflict, .duplicateName, .duplicatePort, .invalidLabel,
      .invalidSelector, .selectorMismatch, .missingSelector, .twoSelectors, .noDirection, .goneField,
      .emptyList, .emptyName, .noL7Kind, .twoL7Kinds:
      [.apiServer]
    case .missingField, .invalidValue, .tooMany: [.apiServer, .agent]
    case .nodeSelectorInNamespace, .combinedPeers, .exceptOutside, .icmpsWithPorts, .emptyPort,
      .listenerOnIngress, .listenerWithL7, .dnsOnIngress, .dnsWithoutPort, .dnsPortRange, .l7OnHost,
      .l7NotTCP, .l7OnPortZero, .sniWithL7:
      [.agent]
    default: []
    }
  }

  /// What it is about, in a sentence without a full stop.
  public var summary: String {
    switch self {
    case .yamlSyntax: "the text is no YAML, or goes beyond the limits on depth and aliases"
    case .wrongType: "a value of another type stands where a list, a mapping, a number or text is expected"
    case .unknownKind: "the kind, or its API version, is unknown"
    case .unknownField: "no field of this name is known here"
    case .unknownValue: "Cilium's chart has no value of this name; Helm takes it without a word"
    case .missingField: "a field that is required is missing"
    case .invalidValue: "a value is outside of what its field takes"
    case .conflict: "fields exclude each other"
    case .booleanLetter: "a plain y or n is a boolean to kubectl"
    case .duplicateObject: "two objects share kind, namespace and name: the later would win"
    case .duplicateName: "two containers or ports share a name"
    case .duplicatePort: "a service lists a port twice"
    case .ignoredNamespace: "the object belongs to no namespace"
    case .invalidLabel: "a label's key or value breaks the syntax"
    case .invalidSelector: "a selector asks for something that no label can be"
    case .selectorMismatch: "a workload's selector does not match its own template"
    case .preferenceNotFollowed: "preferred affinity does not move pods here"
    case .unmodelledKind: "the kind means something in a cluster that is not modelled"
    case .unmodelledField: "the field means something in a cluster that is not modelled"
    case .unmodelledValue: "the Helm value means something that is not modelled"
    case .missingSelector: "a rule has neither endpointSelector nor nodeSelector"
    case .twoSelectors: "a rule has both endpointSelector and nodeSelector"
    case .nodeSelectorInNamespace:
      "a CiliumNetworkPolicy has a nodeSelector, which only a clusterwide one may"
    case .noDirection: "a rule has none of ingress, ingressDeny, egress, egressDeny"
    case .combinedPeers: "one rule combines kinds of peers"
    case .exceptOutside: "an exception lies outside of its prefix"
    case .goneField: "fromRequires and toRequires are gone"
    case .icmpsWithPorts: "icmps and toPorts stand in one rule"
    case .tooMany: "an entry lists more than 40 ports or ICMP types"
    case .emptyPort: "an entry of ports names no port"
    case .emptyName: "a name selector has neither matchName nor matchPattern"
    case .emptyList: "a list is empty that may not be"
    case .listenerOnIngress: "a listener stands in an ingress rule"
    case .listenerWithL7: "a listener stands beside layer 7 rules"
    case .noL7Kind: "rules name no kind of layer 7 rules"
    case .twoL7Kinds: "rules name two kinds of layer 7 rules"
    case .dnsOnIngress: "DNS rules stand in an ingress rule"
    case .dnsWithoutPort: "DNS rules have no port"
    case .dnsPortRange: "DNS rules stand on a range of ports"
    case .l7OnHost: "layer 7 rules stand in a policy of hosts"
    case .l7NotTCP: "layer 7 rules other than DNS stand on a protocol other than TCP"
    case .l7OnPortZero: "layer 7 rules stand on port 0"
    case .sniWithL7: "serverNames stand beside layer 7 rules without terminatingTLS"
    }
  }
}
