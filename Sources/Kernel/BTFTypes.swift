import CLibbpf

/// The type information of an object: structs by name, tags of functions.
final class BTFTypes {
  private let pointer: OpaquePointer
  private let count: UInt32
  /// BTF_KIND_VAR, which libbpf and the kernel headers both define.
  private static let kindVariable: UInt32 = 14

  init(_ image: ELFImage) throws(KernelError) {
    guard let section = image.section(".BTF") else {
      throw KernelError(.object, call: "BTF", detail: "\(image.name): no .BTF section (compile with -g)")
    }
    let contents = Array(image.contents(section))
    guard let pointer = btf__new(contents, UInt32(clamping: contents.count)) else {
      throw KernelError(
        .object, call: "BTF", errno: errnoNow(), detail: "\(image.name): the .BTF section cannot be read")
    }
    self.pointer = pointer
    count = btf__type_cnt(pointer)
  }

  deinit { btf__free(pointer) }

  /// Declaration tags of functions: (function, tag), in order.
  func functionTags() -> [(function: String, tag: String)] {
    var tags: [(function: String, tag: String)] = []
    for id in 1..<max(1, count) {
      guard let type = btf__type_by_id(pointer, id), kind(type) == BTF_KIND_DECL_TAG,
        let target = btf__type_by_id(pointer, type.pointee.type), kind(target) == BTF_KIND_FUNC
      else { continue }
      tags.append((name(target.pointee.name_off), name(type.pointee.name_off)))
    }
    return tags
  }

  /// A struct's fields, anonymous members flattened, in order of declaration; nil if there is no such struct.
  func layout(of structName: String) -> StructLayout? {
    let id = btf__find_by_name_kind(pointer, structName, UInt32(BTF_KIND_STRUCT))
    guard id > 0, let type = btf__type_by_id(pointer, UInt32(id)) else { return nil }
    return layout(type, named: structName)
  }

  /// The layout of a map's key or value, as its definition in `.maps` names it.
  func mapSide(_ map: String, _ side: String) -> StructLayout? {
    let id = btf__find_by_name_kind(pointer, map, Self.kindVariable)
    guard id > 0, let variable = btf__type_by_id(pointer, UInt32(id)),
      let definition = resolve(variable.pointee.type), kind(definition) == BTF_KIND_STRUCT,
      let members = btf_members(definition)
    else { return nil }
    for index in 0..<Int(btf_vlen(definition)) where name(members[index].name_off) == side {
      guard let reference = btf__type_by_id(pointer, members[index].type), kind(reference) == BTF_KIND_PTR,
        let target = resolve(reference.pointee.type)
      else { return nil }
      if kind(target) == BTF_KIND_STRUCT { return layout(target, named: name(target.pointee.name_off)) }
      let size = Int(btf__resolve_size(pointer, reference.pointee.type))
      return StructLayout(
        name: name(target.pointee.name_off), size: max(0, size),
        fields: [StructLayout.Field(name: "", bitOffset: 0, bits: max(0, size) * 8)])
    }
    return nil
  }

  /// A number of a map's definition (`type`, `max_entries`, `map_flags`): the length of the array that stands for it.
  func mapNumber(_ map: String, _ member: String) -> UInt32? {
    let id = btf__find_by_name_kind(pointer, map, Self.kindVariable)
    guard id > 0, let variable = btf__type_by_id(pointer, UInt32(id)),
      let definition = resolve(variable.pointee.type), kind(definition) == BTF_KIND_STRUCT,
      let members = btf_members(definition)
    else { return nil }
    for index in 0..<Int(btf_vlen(definition)) where name(members[index].name_off) == member {
      guard let reference = btf__type_by_id(pointer, members[index].type), kind(reference) == BTF_KIND_PTR,
        let target = resolve(reference.pointee.type), kind(target) == BTF_KIND_ARRAY
      else { return nil }
      return btf_array(target)?.pointee.nelems
    }
    return nil
  }

  /// Octets of a map's definition, without the `values` at its end.
  func mapDefinitionSize(_ map: String) -> Int? {
    let id = btf__find_by_name_kind(pointer, map, Self.kindVariable)
    guard id > 0, let variable = btf__type_by_id(pointer, UInt32(id)),
      let definition = resolve(variable.pointee.type), kind(definition) == BTF_KIND_STRUCT
    else { return nil }
    return Int(definition.pointee.size)
  }

  private func layout(_ type: UnsafePointer<btf_type>, named name: String) -> StructLayout {
    var fields: [StructLayout.Field] = []
    collect(type, at: 0, depth: 0, into: &fields)
    return StructLayout(name: name, size: Int(type.pointee.size), fields: fields)
  }

  private func collect(
    _ type: UnsafePointer<btf_type>, at base: Int, depth: Int, into fields: inout [StructLayout.Field]
  ) {
    guard depth < 8, let members = btf_members(type) else { return }
    for index in 0..<Int(btf_vlen(type)) {
      let bitOffset = base + Int(btf_member_bit_offset(type, UInt32(index)))
      let bitfield = Int(btf_member_bitfield_size(type, UInt32(index)))
      let fieldName = name(members[index].name_off)
      if fieldName.isEmpty, let inner = resolve(members[index].type),
        kind(inner) == BTF_KIND_STRUCT || kind(inner) == BTF_KIND_UNION
      {
        collect(inner, at: bitOffset, depth: depth + 1, into: &fields)
        continue
      }
      let size = Int(btf__resolve_size(pointer, members[index].type))
      fields.append(
        StructLayout.Field(
          name: fieldName, bitOffset: bitOffset, bits: bitfield > 0 ? bitfield : max(0, size) * 8))
    }
  }

  /// The type behind typedefs and qualifiers.
  private func resolve(_ id: UInt32) -> UnsafePointer<btf_type>? {
    var id = id
    for _ in 0..<32 {
      guard let type = btf__type_by_id(pointer, id) else { return nil }
      switch kind(type) {
      case BTF_KIND_TYPEDEF, BTF_KIND_VOLATILE, BTF_KIND_CONST, BTF_KIND_RESTRICT, BTF_KIND_TYPE_TAG:
        id = type.pointee.type
      default: return type
      }
    }
    return nil
  }

  private func kind(_ type: UnsafePointer<btf_type>) -> Int { Int(btf_kind(type)) }

  private func name(_ offset: UInt32) -> String {
    btf__name_by_offset(pointer, offset).map { String(cString: $0) } ?? ""
  }
}

/// Where the fields of a struct lie.
public struct StructLayout: Sendable, Equatable {
  /// A field: its place and width in bits, because some are narrower than an octet.
  public struct Field: Sendable, Equatable {
    public var name: String
    public var bitOffset: Int
    public var bits: Int
  }

  /// Empty for a type without a name.
  public var name: String
  /// Octets.
  public var size: Int
  public var fields: [Field]

  func field(_ name: String) -> Field? { fields.first { $0.name == name } }
}

extension StructLayout: CustomStringConvertible {
  public var description: String {
    "struct \(name) (\(size) octets): "
      + fields.map { field in
        field.bits % 8 == 0 && field.bitOffset % 8 == 0
          ? "\(field.name)@\(field.bitOffset / 8)+\(field.bits / 8)"
          : "\(field.name)@\(field.bitOffset / 8).\(field.bitOffset % 8):\(field.bits)"
      }.joined(separator: " ")
  }
}
