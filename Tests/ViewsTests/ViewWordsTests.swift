import MapABI
import Testing
import Views
import Wire

@Suite struct ViewWordsTests {
  @Test(
    arguments: [
      ("identity list", .identityList()), ("cilium-dbg identity ls", .identityList()),
      ("identity list --endpoints", .identityList(endpointsOnly: true)),
      ("cilium endpoint list", .endpointList()),
      ("endpoint ls --no-headers", .endpointList(headers: false)), ("service list", .serviceList()),
      ("service ls", .serviceList()), ("node list", .nodeList), ("nodeid ls", .nodeIDList),
      ("ip list -nv", .addressList(numeric: true, verbose: true)),
      ("ip ls --verbose", .addressList(verbose: true)),
      ("map list", .mapList), ("bpf lb list", .bpfLoadBalancerList()), ("bpf lb ls", .bpfLoadBalancerList()),
      ("  bpf  lb list --frontends ", .bpfLoadBalancerList(.frontends)),
      ("bpf lb list --backends --revnat", .bpfLoadBalancerList(.reverseNAT)),
      ("bpf --backends lb list", .bpfLoadBalancerList(.backends)),
      ("bpf ct list global", .bpfConntrackList()),
      ("bpf ct ls -d", .bpfConntrackList(timeDifference: true)),
      ("bpf policy get 232", .bpfPolicyGet(endpoint: 232)),
      ("bpf policy get -n 00232", .bpfPolicyGet(endpoint: 232, numeric: true)),
      ("bpf policy get --all", .bpfPolicyList()), ("bpf policy get --all -n", .bpfPolicyList(numeric: true)),
      ("bpf policy list", .bpfPolicyList()), ("bpf ipcache list", .bpfIPCacheList),
      ("bpf ipcache get 10.0.0.1", .bpfIPCacheGet(.v4(IPv4Address(10, 0, 0, 1)))),
      ("bpf endpoint list", .bpfEndpointList), ("bpf nat list", .bpfNATList),
      ("bpf metrics list", .bpfMetricsList),
      ("bpf auth ls", .bpfAuthList), ("bpf nodeid list", .bpfNodeIDList), ("bpf tunnel list", .bpfTunnelList),
    ] as [(String, View)])
  func names(_ text: String, _ view: View) {
    #expect(View(text) == view)
    #expect(View(text.split(separator: " ").map { String($0) }) == view)
  }

  @Test(arguments: [
    ("", "name one"), ("cilium", "name one"), ("monitor", "ciliate observe"),
    ("monitor --type drop", "ciliate observe"),
    ("bpf map list", "the command is \"map list\""), ("cilium bpf map list", "the command is \"map list\""),
    ("bpf metrics ls", "\"bpf metrics list\""), ("map ls", "\"map list\""), ("lb list", "\"bpf lb list\""),
    ("ipcache ls", "\"bpf ipcache list\""), ("bpf lbs list", "did you mean \"bpf lb list\"?"),
    ("identities list", "did you mean \"identity list\"?"), ("endpoint", "views: identity list"),
    ("policy get", "bpf policy get ENDPOINT"), ("bpf policy get", "needs the id"),
    ("bpf policy get 65536", "needs the id"),
    ("bpf policy get host", "needs the id"), ("bpf ipcache get x", "needs an IP address"),
    ("bpf ct list cluster 1", "takes no argument, found \"cluster 1\""),
    ("identity list k8s:a=b", "takes no argument"),
    ("bpf lb list --source-ranges", "not modelled"), ("bpf lb list -o json", "-o is not supported"),
    ("bpf lb list --all", "bpf lb list has --frontends, --backends, --revnat, found --all"),
    ("map list -v", "map list has no options, found -v"),
    ("ip list -x", "--numeric (-n), --verbose (-v), found -x"),
  ])
  func hints(_ text: String, _ hint: String) {
    #expect(View(text) == nil)
    let error = #expect(throws: UnknownView.self) {
      try View.resolve(text.split(separator: " ").map { String($0) })
    }
    #expect(error?.hint.contains(hint) == true, "\(error.map(\.description) ?? "")")
    #expect(error?.asked == text)
  }

  @Test func outputs() {
    var maps = NodeMaps()
    maps.addPolicy(7, identity: 1)
    let input = ViewInput(maps: maps, identities: [IdentityRow(number: 1, labels: ["reserved:host"])])
    #expect(View.identityList().output(of: input) == ViewOutput(text: "ID   LABELS\n1    reserved:host\n"))
    #expect(View.bpfIPCacheList.output(of: input) == ViewOutput(text: "", notice: "No entries found.\n"))
    #expect(
      View.bpfPolicyGet(endpoint: 8).output(of: input)
        == ViewOutput(text: "", notice: "Error: endpoint 8 has no policy map; endpoints here: 7\n"))
    #expect(View.bpfTunnelList.output(of: input).notice.contains("bpf ipcache list"))
    #expect(View.bpfConntrackList().text(of: input) == "\n\n")
  }
}
