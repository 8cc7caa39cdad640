/// The part of a data set that a model learns from, or the part that it is judged by.
public enum Split: String, CaseIterable, Sendable { case train, test }
