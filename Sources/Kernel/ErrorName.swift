import Glibc

/// Names of error numbers, as manuals write them.
enum ErrorName {
  static func text(_ number: Int32) -> String {
    guard let message = strerror(number) else { return "error \(number)" }
    return "\(String(cString: message)) (\(number))"
  }
}

/// The calling thread's error number.
func errnoNow() -> Int32 { errno }
