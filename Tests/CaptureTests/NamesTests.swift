import Capture
import Testing
import Wire

private let table = """
  ID      LABELS                          REFCOUNT
  1       reserved:host                   1
  62651   k8s:app=curl                    1
          k8s:io.kubernetes.pod.namespace=default
  4437    k8s:app=nginx                   2

  """

@Test func `identities as a table, as CiliumIdentity objects, as JSON of cilium-dbg`() throws {
  let lists = [
    table,
    """
    {"items":[{"metadata":{"name":"62651"},"security-labels":{"k8s:io.kubernetes.pod.namespace":"default","k8s:app":"curl"}},
    {"metadata":{"name":"4437"},"security-labels":{"k8s:app":"nginx"}}]}
    """,
    #"[{"id":62651,"labels":["k8s:io.kubernetes.pod.namespace=default","k8s:app=curl"]},{"id":4437,"labels":["k8s:app=nginx"]}]"#,
  ]
  for list in lists {
    var names = IdentityNames()
    try names.read(Array(list.utf8), file: "f")
    #expect(names.name(62651) == "k8s:app=curl,k8s:io.kubernetes.pod.namespace=default")
    #expect(names.name(4437) == "k8s:app=nginx")
    #expect(names.name(4) == "health" && names.name(777) == nil)
  }
  var names = IdentityNames()
  #expect(names.scope(0x03_1234) == "cluster 3, identity 4660")
  #expect(names.scope(256) == nil && names.scope(0xffff) == nil)
  #expect(names.scope(0x100_0001)?.contains("CIDR") == true)
  // A mesh of up to 511 clusters has nine bits for them.
  names.meshLimit = .clusters511
  #expect(names.scope(0x03_9234) == "cluster 7, identity 4660")
  #expect(names.scope(0x7fff) == nil && names.scope(0x8000) == "cluster 1, identity 0")
  #expect(names.cluster(0xff_ffff) == 511)
}

@Test func `a table leaves out labels that Cilium derives, unless there are no others`() {
  var names = ReportNames()
  names.identities.set(62651, labels: ["k8s:app=curl", "k8s:io.cilium.k8s.policy.cluster=kind-kind"])
  names.identities.set(4437, labels: ["k8s:io.cilium.k8s.policy.cluster=kind-kind"])
  var table = TextOutput()
  let report = decode(capture([TunnelFrame(), TunnelFrame(vni: 4437)].map { ($0.bytes(), .ethernet) }))
  report.writeTable(to: &table, by: .identity, names: names)
  #expect(table.text.contains("62651 (k8s:app=curl) "))
  #expect(table.text.contains("4437 (k8s:io.cilium.k8s.policy.cluster=kind-kind) "))
  var csv = TextOutput()
  report.writeCSV(to: &csv, by: .identity, names: names)
  #expect(csv.text.contains("\"k8s:app=curl,k8s:io.cilium.k8s.policy.cluster=kind-kind\""))
}

@Test(arguments: ["", "hello world\n", "{}", "[1,2", #"{"items":[{"a":1}]}"#, "{\"a\":\"\\ud8\"}", "[[[["])
func `a names file that is none is refused with its name`(text: String) {
  var names = IdentityNames()
  #expect { try names.read(Array(text.utf8), file: "names.txt") } throws: { error in
    (error as? CaptureError)?.file == "names.txt"
  }
}

@Test func `JSON: escapes, pairs, nesting limit`() throws {
  let value = try JSONValue(
    parsing: Array(#"{"a":["\u00e9\n\ud83d\ude00",-1.5e3,true,null,{}],"b":"7"}"#.utf8))
  #expect(value["a"]?.array?.first?.string == "é\n😀")
  #expect(value["a"]?.array?[1] == .number("-1.5e3"))
  #expect(value["b"]?.unsigned == 7)
  let deep = String(repeating: "[", count: 100_000)
  #expect(throws: JSONValue.ParseError.self) { try JSONValue(parsing: Array(deep.utf8)) }
  // Whatever octets come, there is an answer.
  var random = SplitMix(state: 3)
  let good = Array(#"{"a":["\u00e9",-1.5e3,true,null,{"x":[]}],"b":"7"}"#.utf8)
  for _ in 0..<20_000 {
    var octets = good
    octets[Int.random(in: 0..<octets.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    _ = try? JSONValue(parsing: Array(octets.prefix(Int.random(in: 0...octets.count, using: &random))))
  }
}

private let endpoints = """
  {"items":[{"metadata":{"name":"curl","namespace":"default"},"status":{"identity":{"id":62651,"labels":["k8s:app=curl"]},
  "networking":{"addressing":[{"ipv4":"10.244.1.6","ipv6":"fd00::6"}]}}},
  {"metadata":{"name":"nginx","namespace":"default"},"status":{"identity":{"id":4437,"labels":["k8s:app=nginx"]},
  "networking":{"addressing":[{"ipv4":"10.244.3.193"}]}}}]}
  """

@Test func `endpoints name pods, and show what the capture contradicts`() throws {
  var names = ReportNames()
  try names.endpoints.read(Array(endpoints.utf8), file: "e")
  try names.identities.read(Array(table.utf8), file: "i")
  #expect(names.endpoints[IPAddress("fd00::6")!]?.name == "default/curl")
  var back = TunnelFrame(vni: 62651)
  (back.client, back.server) = (back.server, back.client)
  (back.sourcePort, back.destinationPort) = (80, 40000)
  let report = decode(capture([TunnelFrame(), back, TunnelFrame(vni: 999)].map { ($0.bytes(), .ethernet) }))
  #expect(
    report.contradictions(names).map(\.text) == [
      "identity 999 (1 packets) is not in the identities file",
      "default/nginx has identity 4437, but sends with VNI 62651",
      "identity 62651 is used by default/curl and default/nginx, whose labels differ",
      "default/curl has identity 62651, but sends with VNI 999",
    ])
  var output = TextOutput()
  report.writeTable(to: &output, by: .flow, names: names)
  #expect(output.text.contains("default/curl:40000"))
  #expect(output.text.contains("62651 (k8s:app=curl,k8s:io.kubernetes.pod.namespace=default)"))
}

@Test func `times: RFC 3339 and seconds`() {
  #expect(Timestamp.nanoseconds("1740565518.453962") == 1_740_565_518_453_962_000)
  #expect(Timestamp.nanoseconds("2025-02-26T10:25:18.453962Z") == 1_740_565_518_453_962_000)
  #expect(Timestamp.nanoseconds("2025-02-26T11:25:18+01:00") == 1_740_565_518_000_000_000)
  #expect(Timestamp.nanoseconds("2024-02-29T00:00:00Z") == 1_709_164_800_000_000_000)
  for text in [
    "", "x", "2025-02-30T00:00:00Z", "2025-13-01T00:00:00Z", "2025-02-26T10:25:18", "1.", "99999999999999",
  ] {
    #expect(Timestamp.nanoseconds(text) == nil, "\(text)")
  }
}
