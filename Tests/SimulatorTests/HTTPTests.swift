import Testing

@testable import Simulator

struct HTTPTests {
  @Test(
    "A server answers by its table, a client reads what it answers",
    arguments: [("/", 200), ("/missing", 404), ("/missing?x=1", 404), ("/other", 200)])
  func statuses(_ path: String, _ status: Int) throws {
    let behaviour = HTTPBehaviour(statuses: ["/missing": 404], body: "hello\n")
    let request = HTTPRequest(path: path, host: "web")
    let octets = HTTPResponse.segments(behaviour, to: request.octets).flatMap { $0 }
    #expect(HTTPResponse.isComplete(octets))
    #expect(!HTTPResponse.isComplete(Array(octets.dropLast())))
    let response = try #require(HTTPResponse(octets))
    #expect(response.status == status)
    #expect(response.body == "hello\n")
  }

  @Test("HEAD has no body")
  func head() throws {
    let segments = HTTPResponse.segments(HTTPBehaviour(body: "x"), to: HTTPRequest(method: "HEAD").octets)
    #expect(segments.count == 1)
    #expect(try #require(HTTPResponse(segments[0])).body.isEmpty)
  }
}
