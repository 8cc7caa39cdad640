import ApusFormats

/// A digest by which a published file is known.
package enum PublishedDigest: Hashable, Sendable {
  case sha256(String)
  case md5(String)

  /// Its name, for messages.
  package var name: String {
    switch self {
    case .sha256: "SHA-256"
    case .md5: "MD5"
    }
  }

  /// Hexadecimal.
  package var text: String {
    switch self {
    case .sha256(let text), .md5(let text): text
    }
  }

  /// The digest of the same kind of a file's bytes.
  package func digest(of bytes: UnsafeRawBufferPointer) -> String {
    var hash = RunningDigest(self)
    hash.update(bytes)
    return hash.digest()
  }
}

/// Computes the digest that a file is to be compared by.
struct RunningDigest {
  private var sha256 = SHA256()
  private var md5 = MD5()
  private let expected: PublishedDigest

  init(_ expected: PublishedDigest) { self.expected = expected }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch expected {
    case .sha256: sha256.update(bytes)
    case .md5: md5.update(bytes)
    }
  }

  func digest() -> String {
    switch expected {
    case .sha256: sha256.digest().description
    case .md5: md5.digest()
    }
  }
}
