import Datapath

extension ProxyStep.Action {
  /// What a proxy did, in words.
  var words: String {
    switch self {
    case .allowed(let what, let rule): "\(what): allowed by \(rule)"
    case .answered(let status, let why): "answered \(status): \(why)"
    case .refused(let what): "\(what): refused, no rule allows it"
    case .closed(let why): "closed: \(why)"
    case .learnt(let name, let addresses): "the agent learns: \(name) is \(addresses)"
    }
  }
}
