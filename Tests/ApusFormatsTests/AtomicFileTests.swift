import ApusFormats
import Foundation
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  @Test("a file appears when it is committed, and not before")
  func commit() throws {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(folder.file("a.txt"))
    try file.write("one ")
    try file.write([UInt8](repeating: UInt8(ascii: "x"), count: 200_000))
    #expect(!folder.names().contains("a.txt"))
    #expect(file.byteCount == 200_004)
    try file.commit()
    #expect(folder.names() == ["a.txt"])
    #expect(try folder.read("a.txt") == Array("one ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 200_000))
  }

  @Test("dropped without a commit, it leaves the old file and nothing else")
  func dropped() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("old", to: folder.file("a.txt"))
    do {
      let file = try AtomicFile(folder.file("a.txt"))
      try file.write([UInt8](repeating: 0, count: 1 << 20))
      #expect(folder.names().count == 2)
    }
    #expect(folder.names() == ["a.txt"])
    #expect(try folder.read("a.txt") == Array("old".utf8))
  }

  @Test("an empty file is a file")
  func empty() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("", to: folder.file("empty"))
    #expect(try folder.read("empty") == [])
  }

  @Test("two writers of one file don't meet")
  func twoWriters() throws {
    let folder = try TemporaryFolder()
    let (a, b) = (try AtomicFile(folder.file("x")), try AtomicFile(folder.file("x")))
    try a.write("a")
    try b.write("b")
    try a.commit()
    #expect(try folder.read("x") == Array("a".utf8))
    try b.commit()
    #expect(try folder.read("x") == Array("b".utf8))
    #expect(folder.names() == ["x"])
  }

  @Test("a link stays a link, and permissions stay")
  func links() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("old", to: folder.file("real"))
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: folder.file("real"))
    try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "real")
    try AtomicFile.write("new", to: folder.file("link"))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link")) == "real")
    #expect(try folder.read("real") == Array("new".utf8))
    let mode = try FileManager.default.attributesOfItem(atPath: folder.file("real"))[.posixPermissions] as? Int
    #expect(mode == 0o640)
  }

  @Test("what cannot be written is an error with the path and the system's reason")
  func errors() throws {
    let folder = try TemporaryFolder()
    let missing = #expect(throws: FileError.self) { try AtomicFile(folder.file("no/such/folder/a")) }
    #expect(missing?.isNotFound == true)
    #expect(missing?.description.contains("no/such/folder/a: cannot create a file: No such file or directory") == true)
    let isFolder = #expect(throws: FileError.self) { try AtomicFile(folder.path) }
    #expect(isFolder?.description.contains("Is a directory") == true)
    #expect(folder.names() == [])
  }

  @Test("what a killed process left is removed after an hour, and nothing else is")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    // No process has this number: Linux ends at 2^22, macOS at 99,999.
    let names = [
      ".a.9999999-1.tmp", ".a.9999998-1.tmp", ".a.\(getpid())-77.tmp", ".ab.9999999-1.tmp", ".a.x.tmp", ".a.9999999-1.txt",
    ]
    for name in names { _ = try folder.write([1], name) }
    for name in names where name != ".a.9999998-1.tmp" {
      let old = Date().addingTimeInterval(-7200)
      try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: folder.file(name))
    }
    try AtomicFile.write("text", to: folder.file("a"))
    #expect(folder.names() == (names.filter { $0 != ".a.9999999-1.tmp" } + ["a"]).sorted())
  }
}
