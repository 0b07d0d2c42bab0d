extension YAMLValue {
  /// This value with a merge patch applied: mappings merge, null takes away, anything else replaces.
  ///
  /// Source: RFC 7396.
  public func merging(_ patch: YAMLValue) -> YAMLValue {
    guard case .mapping(let changes) = patch.content else { return patch }
    var members: [Member] = []
    if case .mapping(let own) = content { members = own }
    for change in changes {
      let index = members.firstIndex { $0.key == change.key }
      switch (index, change.value.isNull) {
      case (let index?, true): members.remove(at: index)
      case (nil, true): break
      case (let index?, false): members[index].value = members[index].value.merging(change.value)
      case (nil, false):
        let empty = YAMLValue(.mapping([]), location: change.value.location)
        members.append(
          .init(key: change.key, keyLocation: change.keyLocation, value: empty.merging(change.value)))
      }
    }
    return YAMLValue(.mapping(members), location: content == .null ? patch.location : location)
  }
}
