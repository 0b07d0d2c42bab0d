import ArgumentParser
import Capture
import Runner
import Scenario

/// `ciliate lab`: tasks to learn by, with a check.
struct LabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab", abstract: "Labs: list them, open one, check what you made of it.",
    discussion: """
      Labs run on the model: offline, without root and without eBPF. They are looked for in scenarios/labs of the \
      working folder and of those above it, then beside the binary.
      """,
    subcommands: [List.self, Open.self, Check.self])

  struct Place: ParsableArguments {
    @Option(help: "The folder of labs.")
    var labs: String?

    /// The labs, or exit code 2 with a reason.
    func all() throws -> [Lab] {
      guard let folder = labs ?? LabFolders.find() else {
        complain(
          "no labs found: neither scenarios/labs here or above, nor beside the binary; name a folder with --labs"
        )
        throw ExitCode(2)
      }
      let (labs, findings) = Lab.all(in: folder)
      for finding in findings { complain("\(finding)") }
      guard !labs.isEmpty else {
        complain("\(folder): holds no lab")
        throw ExitCode(2)
      }
      return labs
    }

    func lab(_ name: String) throws -> Lab {
      let labs = try all()
      if let lab = labs.first(where: { $0.file.name == name }) { return lab }
      complain(
        "there is no lab \"\(name)\"; expected one of \(labs.map(\.file.name).joined(separator: ", "))")
      throw ExitCode(2)
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the labs.")
    @OptionGroup var place: Place

    func run() throws {
      let labs = try place.all()
      let width = labs.map(\.file.name.count).max() ?? 0
      LabCommand.say(
        labs.map {
          $0.file.name + String(repeating: " ", count: width + 2 - $0.file.name.count) + $0.file.title
        })
    }
  }

  struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "open", abstract: "Copy a lab's files into a folder of your own, and print the task.")
    @Argument(help: "The lab's name.")
    var name: String
    @Option(help: "Where to; by default a folder of the lab's name, here.")
    var to: String?
    @Flag(help: "Print the hints, too.")
    var hints = false
    @OptionGroup var place: Place

    func run() throws {
      let lab = try place.lab(name)
      let target = to ?? name
      let files = try LabCommand.orComplain { () throws(LabError) in try lab.open(to: target) }
      var lines = [lab.file.title, "", lab.file.text, "Task", "", lab.file.task]
      lines.append("In \(target): \(files.joined(separator: ", "))")
      if to != nil { lines.append("Check with: ciliate lab check \(name) --in \(target)") }
      if hints { lines += [""] + lab.file.hints.enumerated().map { "Hint \($0 + 1): \($1)" } }
      LabCommand.say(lines)
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check", abstract: "See whether the task is done.",
      discussion: "Exit codes: 0 done, 1 not yet, 2 files are missing or in error.")
    @Argument(help: "The lab's name.")
    var name: String
    @Option(name: .customLong("in"), help: "Your folder; by default one of the lab's name, here.")
    var folder: String?
    @Option(help: "The answer, in place of the file that it is written into.")
    var answer: String?
    @Option(help: "Show this many hints when the task is not done.")
    var hints = 1
    @OptionGroup var place: Place

    func run() throws {
      let lab = try place.lab(name)
      let result = try LabCommand.orComplain { () throws(LabError) in
        try lab.check(in: folder ?? name, answer: answer)
      }
      var lines: [String] = []
      for item in result.items {
        lines.append("\(item.isMet ? "yes" : "no ")  \(item.text)")
        lines += item.details.map { "     \($0)" }
      }
      lines.append(result.isDone ? "Done." : "Not yet.")
      if !result.isDone { lines += lab.file.hints.prefix(max(0, hints)).map { "Hint: \($0)" } }
      LabCommand.say(lines)
      if !result.isDone { throw ExitCode(1) }
    }
  }

  fileprivate static func say(_ lines: [String]) {
    var output = TextOutput(descriptor: 1)
    for line in lines.flatMap({ $0.split(separator: "\n", omittingEmptySubsequences: false) }) {
      output.put(line: String(line))
    }
    output.flush()
  }

  fileprivate static func orComplain<Value>(_ body: () throws(LabError) -> Value) throws -> Value {
    do throws(LabError) {
      return try body()
    } catch {
      complain("\(error)")
      throw ExitCode(2)
    }
  }
}
