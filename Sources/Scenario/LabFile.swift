public import Cluster
public import Manifests

/// A lab: a scenario to read, a task, hints, and a check of what the learner made of it.
public struct LabFile: Equatable, Sendable {
  public static let fileName = "lab.yaml"

  /// How a lab finds out that the task is done.
  public enum Check: Equatable, Sendable {
    /// The scenario with these steps instead of its own, on the learner's files.
    case steps(YAMLValue)
    /// The learner's answer names the sender of a step's packets.
    case sender(ofStep: Located<String>, answerFile: String)
  }

  /// A capture that is made when the lab is opened.
  public struct Capture: Equatable, Sendable {
    public var file: String
    /// Whose native device is captured.
    public var node: String
  }

  public var name: String
  public var title: String
  public var text: String
  public var task: String
  public var hints: [String]
  /// The scenario's file, in the lab's folder.
  public var scenario: Located<String>
  /// The files that are the learner's to change.
  public var files: [String]
  public var capture: Capture?
  /// Where the identities of the cluster are written when the lab is opened.
  public var identities: String?
  public var check: Check

  /// Reads a lab's file.
  ///
  /// - Returns: the lab, or nil when anything in it is in error; and all findings.
  public static func load(_ path: String) -> (lab: LabFile?, findings: [Finding]) {
    let log = FindingLog()
    do {
      let documents = try YAMLReader(file: path).documents(readText(path)).filter { !$0.isNull }
      guard let document = documents.first, documents.count == 1 else {
        let place = SourceLocation(file: path, line: 1, column: 1)
        return (
          nil, [Finding(id: "invalid-value", severity: .error, at: place, "a lab file holds one document")]
        )
      }
      let lab = Cursor(document, log: log).lab()
      return (log.errorCount == 0 ? lab : nil, log.findings)
    } catch let error as YAMLSyntaxError {
      return (nil, [error.finding])
    } catch let error as FileError {
      return (nil, [error.finding])
    } catch {
      return (nil, [])
    }
  }
}

extension Cursor {
  fileprivate func lab() -> LabFile? {
    fields { fields in
      fields.required("apiVersion")?.expect(ScenarioReader.apiVersion)
      fields.required("kind")?.expect("Lab")
      let name: String? = fields.required("metadata")?.fields { $0.required("name")?.nonEmptyString() }
      let lab: LabFile? = fields.required("spec")?.fields { spec in
        let title = spec.required("title")?.nonEmptyString()
        let text = spec.required("text")?.nonEmptyString()
        let task = spec.required("task")?.nonEmptyString()
        let hints = spec.optional("hints")?.list { $0.nonEmptyString() } ?? []
        let scenario = spec.required("scenario")?.fileName()
        let files = spec.required("files")?.list { $0.fileName()?.value } ?? []
        let capture: LabFile.Capture? = spec.optional("capture")?.fields { capture in
          guard let file = capture.required("file")?.fileName(),
            let node = capture.required("node")?.nonEmptyString()
          else { return nil }
          return LabFile.Capture(file: file.value, node: node)
        }
        let identities = spec.optional("identities")?.fileName()?.value
        let check = spec.required("check")?.labCheck()
        guard let title, let text, let task, let scenario, let check else { return nil }
        return LabFile(
          name: name ?? "", title: title, text: text, task: task, hints: hints, scenario: scenario,
          files: files,
          capture: capture, identities: identities, check: check)
      }
      return lab
    }
  }

  private func labCheck() -> LabFile.Check? {
    fields { fields in
      let steps = fields.optional("steps")
      let sender = fields.optional("senderOf")
      if (steps == nil) == (sender == nil) { report("conflict", "expected one of steps and senderOf") }
      let answer = fields.optional("answer")?.fileName()
      if let steps { return .steps(steps.value) }
      guard let sender, let step = sender.nonEmptyString() else { return nil }
      guard let answer else {
        report("missing-field", "senderOf needs answer, the file that the learner writes into")
        return nil
      }
      return .sender(ofStep: Located(step, at: sender.location), answerFile: answer.value)
    }
  }

  /// A name without folders: a lab's files lie beside each other.
  private func fileName() -> Located<String>? {
    guard let name = nonEmptyString() else { return nil }
    guard !name.contains("/"), name != "..", name != "." else {
      report("invalid-value", "\(quoted(name)) is no name of a file in the lab's folder")
      return nil
    }
    return Located(name, at: location)
  }

  private func expect(_ text: String) {
    guard let found = string(), found != text else { return }
    report("invalid-value", "expected \(quoted(text)), found \(quoted(found))")
  }
}
