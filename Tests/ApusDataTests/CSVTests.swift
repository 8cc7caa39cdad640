import ApusCore
import ApusData
import TestSupport
import Testing

@Suite struct CSVTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ text: String, separator: Character = ",", hasHeader: Bool = true) throws -> CSV {
    try CSV.read(folder.write(Array(text.utf8), "x.csv"), separator: separator, hasHeader: hasHeader)
  }

  private func error(_ text: String) -> String? { dataError { _ = try read(text) }?.reason }

  @Test("fields, quotes, line breaks")
  func fields() throws {
    let table = try read("\u{FEFF}a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n2,\n")
    #expect(table.columns == ["a", "b"] && table.rows == [["1", "x, \"y\"\nz"], ["2", ""]])
    #expect(try read("1;2\n3;4", separator: ";", hasHeader: false).rows == [["1", "2"], ["3", "4"]])
    #expect(try read("").rows.isEmpty)
    #expect(error("a,b\n1\n") == "line 2: 1 fields where the first row has 2")
    #expect(error("a\n\"x") == "line 2: a quote without an end")
    #expect(error("a\n\"x\"y\n") == "line 2: something behind a closing quote")
    #expect(error("a,a\n1,2\n") == "a column's name stands twice in its header")
    #expect(dataError { _ = try CSV.read(folder.write([97, 0xFF], "x.csv")) }?.kind == .format)
    #expect(dataError { _ = try CSV.read(folder.file("none.csv")) }?.kind == .missing)
  }

  @Test("data sets with a class and with a number to tell")
  func sets() throws {
    let table = try read("w, h,kind\n1, 2.5,dog\n-3e1,4,cat\n5,6 , dog\n".replacing(", h", with: ",h"))
    let (set, names) = try table.classification(target: "kind")
    #expect(names == ["cat", "dog"] && set.target.scalars(as: Int.self) == [1, 0, 1])
    #expect(set.input.array(as: [[Float]].self) == [[1, 2.5], [-30, 4], [5, 6]])
    let numbers = try table.regression(target: "h", features: ["w"])
    #expect(numbers.target.array(as: [[Float]].self) == [[2.5], [4], [6]] && numbers.input.shape == [3, 1])
    #expect(
      dataError { _ = try table.tensor(["kind"]) }?.reason == "row 2, column 'kind': 'dog' is no number")
    #expect(dataError { _ = try table.tensor(["x"]) }?.reason == "no column 'x'; there are w, h, kind")
  }
}
