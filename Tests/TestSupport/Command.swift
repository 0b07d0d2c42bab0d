import Foundation

/// A program that ran to its end.
public struct Command {
  public var code: Int32
  public var output: String
  public var complaints: String

  /// Why a program gave no exit code.
  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  /// The `ciliate` that was built along with these tests: it lies beside them.
  public static let ciliate: String? = {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    for _ in 0..<4 {
      folder.deleteLastPathComponent()
      let path = folder.appendingPathComponent("ciliate").path
      if FileManager.default.isExecutableFile(atPath: path), !isFolder(path) { return path }
    }
    let built = "\(PackageFolder.path)/.build/debug/ciliate"
    return FileManager.default.isExecutableFile(atPath: built) ? built : nil
  }()

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  public static func find(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Runs a program in the package's folder; output goes through files, so that no pipe can fill up.
  public static func run(_ program: String, _ arguments: [String]) throws -> Command {
    try withFolder { folder in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: PackageFolder.path)
      var environment = ProcessInfo.processInfo.environment
      environment["NO_COLOR"] = "1"
      process.environment = environment
      _ = FileManager.default.createFile(atPath: "\(folder)/out", contents: nil)
      _ = FileManager.default.createFile(atPath: "\(folder)/err", contents: nil)
      process.standardOutput = FileHandle(forWritingAtPath: "\(folder)/out")
      process.standardError = FileHandle(forWritingAtPath: "\(folder)/err")
      process.standardInput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      guard process.terminationReason == .exit else {
        throw Failure(description: "\(program) \(arguments): ended by signal \(process.terminationStatus)")
      }
      return Command(
        code: process.terminationStatus,
        output: try String(contentsOfFile: "\(folder)/out", encoding: .utf8),
        complaints: try String(contentsOfFile: "\(folder)/err", encoding: .utf8))
    }
  }

  public static func ciliate(_ arguments: String...) throws -> Command {
    guard let ciliate else { throw Failure(description: "no ciliate beside the tests") }
    return try run(ciliate, arguments)
  }
}

/// A folder that is taken away afterwards.
public func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("ciliate-\(UUID().uuidString)")
    .path
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}
