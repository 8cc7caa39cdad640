import Apus
import Foundation

/// What a run measured, printed as one line of JSON.
struct Measurement: Encodable {
  var framework = "apus"
  let workload: String
  let medianS: Double
  let minS: Double
  let steps: Int
  let itemsPerS: Double
  let threads: Int
  let peakRssMb: Double
  let version: String
  let isa: String
}

/// Times `step` as the workloads' rules say: at least 3 steps and min(S/4, 1) seconds of warm-up, then every step by itself until S seconds
/// have passed and at least 5 steps are done; after 10 S seconds it stops with what it has.
func measure(_ workload: String, items: Double, seconds: Double, _ step: () -> Void) -> Measurement {
  let clock = ContinuousClock()
  let start = clock.now
  let elapsed = { (clock.now - start) / .seconds(1) }
  var warmUp = 0
  while warmUp < 3 || elapsed() < min(seconds / 4, 1) {
    step()
    warmUp += 1
  }
  var times: [Double] = []
  let timed = clock.now
  while true {
    let before = clock.now
    step()
    times.append((clock.now - before) / .seconds(1))
    let total = (clock.now - timed) / .seconds(1)
    if (total >= seconds && times.count >= 5) || total >= 10 * seconds { break }
  }
  times.sort()
  let median = times[times.count / 2]
  return Measurement(
    workload: workload, medianS: median, minS: times[0], steps: times.count, itemsPerS: items / median,
    threads: Runtime.threadCount, peakRssMb: peakResidentMegabytes(), version: Runtime.version, isa: Runtime.instructionSet)
}

/// The most memory that this process ever had resident: `VmHWM`, or NaN where there is no /proc.
private func peakResidentMegabytes() -> Double {
  guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
    let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
    let kilobytes = line.split(separator: " ").compactMap({ Double($0) }).first
  else { return .nan }
  return kilobytes / 1024
}
