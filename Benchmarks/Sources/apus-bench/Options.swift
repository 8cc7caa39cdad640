import Foundation

/// `--workload NAME --threads N --seconds S`, as the comparison tool calls us.
struct Options {
  var workloads: [String] = []
  var threads = 2
  var seconds = 2.0

  static let usage = """
    usage: apus-bench --workload NAME[,NAME…] [--threads N] [--seconds S]
           apus-bench --list
      --workload  what to run: a name, several with commas, train, op or all
      --threads   threads that compute (2)
      --seconds   how long to time each workload (2)
    Prints one line of JSON for each workload.
    """

  init(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    while let flag = rest.popFirst() {
      switch flag {
      case "--workload": workloads = try Self.value(flag, &rest).split(separator: ",").map(String.init)
      case "--threads":
        guard let n = Int(try Self.value(flag, &rest)), (1...1024).contains(n) else {
          throw UsageError("--threads takes 1 to 1024")
        }
        threads = n
      case "--seconds":
        guard let s = Double(try Self.value(flag, &rest)), s > 0, s < 1e6 else {
          throw UsageError("--seconds takes a positive number")
        }
        seconds = s
      default: throw UsageError("unknown option '\(flag)'")
      }
    }
    if workloads.isEmpty { throw UsageError("--workload is missing") }
  }

  private static func value(_ flag: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> String {
    guard let value = rest.popFirst() else { throw UsageError("\(flag) needs a value") }
    return value
  }
}

struct UsageError: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
