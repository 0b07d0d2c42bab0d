/// The folder of this package, for tests that read scenarios and references.
public enum PackageFolder {
  public static let path = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
}
