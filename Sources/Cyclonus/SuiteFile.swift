import Foundation

/// The files of a suite as they lie on disk: facts about NetworkPolicy, each step with its tables.
struct SuiteFile: Decodable {
  struct Case: Decodable {
    var id: String
    var steps: [Step]
  }

  struct Step: Decodable {
    struct Pod: Decodable {
      var namespace: String
      var name: String
      var ip: String
      var labels: [String: String]
    }

    struct Table: Decodable {
      var combined: [String]
    }

    var step: Int
    var namespaces: [String: [String: String]]
    var pods: [Pod]
    /// `namespace/pod` of rows and columns.
    var order: [String]
    var policies: String
    /// By `PROTOCOL/port`.
    var tables: [String: Table]

    enum CodingKeys: String, CodingKey {
      case step, namespaces, pods, order, tables
      case policies = "policies_yaml"
    }
  }

  var cases: [Case]
}

/// What Cilium's own policy engine says of the same steps: `.` allowed, `X` denied, `s` not asked.
struct AnswerFile: Decodable {
  struct Case: Decodable {
    struct Step: Decodable { var cilium: [String: [String]] }
    var id: String
    var steps: [Step]
  }

  var cases: [Case]
}

func readJSON<Value: Decodable>(_ type: Value.Type, _ path: String) throws(SuiteError) -> Value {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw SuiteError(file: path, message: "cannot be read")
  }
  do {
    return try JSONDecoder().decode(type, from: data)
  } catch {
    throw SuiteError(file: path, message: "is no suite: \(error)")
  }
}
