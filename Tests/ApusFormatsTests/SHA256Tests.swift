import ApusFormats
import Testing

@Suite struct SHA256Tests {
  // The examples of FIPS 180-4 and of NIST's validation program; `sha256sum` prints the same.
  @Test(
    "known answers",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
    ])
  func knownAnswers(text: String, digest: String) {
    #expect(SHA256.digest(of: Array(text.utf8)).description == digest)
  }

  @Test("a million times the letter a")
  func million() {
    let digest = SHA256.digest(of: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
    #expect(digest.description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("the input may come in any pieces")
  func pieces() {
    for length in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 200] {
      let bytes = (0..<length).map { UInt8($0 & 255) }
      let whole = SHA256.digest(of: bytes)
      for cut in 0...length {
        var hash = SHA256()
        hash.update(Array(bytes[..<cut]))
        // A digest in between changes nothing.
        _ = hash.digest()
        hash.update(Array(bytes[cut...]))
        #expect(hash.digest() == whole, "\(length) bytes cut at \(cut)")
      }
    }
  }
}
