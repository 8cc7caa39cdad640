import Apus

/// The value of a metric, a share as a percentage.
func measure(_ name: String, _ value: Double) -> String { ["accuracy", "exact"].contains(name) ? percent(value) : short(value) }

/// `accuracy 98.12 %`, `generator loss 0.812`
func described(_ name: String, _ value: Double) -> String { "\(name.replacing("_", with: " ")) \(measure(name, value))" }
