import ApusCore
import ApusFormats

/// A table from a file of separated values (RFC 4180): fields in quotes may hold separators, line breaks and doubled quotes.
///
/// ```swift
/// let table = try CSV.read("iris.csv")
/// let (set, classNames) = try table.classification(target: "species")
/// ```
public struct CSV: Sendable {
  /// Names of the columns; "0", "1", … in a file without a header.
  public let columns: [String]
  /// All rows have as many fields as there are columns.
  public let rows: [[String]]
  private let path: String
  private let hasHeader: Bool

  /// Reads the file at `path`, UTF-8, with or without a byte-order mark. Empty lines are skipped.
  ///
  /// - Parameter separator: a character of ASCII between fields: a comma, a semicolon, a tab.
  /// - Parameter hasHeader: whether the first row names the columns.
  /// - Parameter limit: the most bytes that the file may have.
  /// - Throws: `DataError`: no such file, not UTF-8, a quote without an end, rows of different lengths, a column's name twice.
  public static func read(
    _ path: String, separator: Character = ",", hasHeader: Bool = true, limit: Int = 1 << 30
  ) throws(DataError) -> CSV {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(file) {} }
    guard file.bytes.count <= limit else {
      throw DataError(
        .size, path: path, "\(file.bytes.count) bytes; the limit is \(limit)", advice: "raise the limit or split the file")
    }
    guard let byte = separator.asciiValue, byte != UInt8(ascii: "\""), byte != 10, byte != 13 else {
      throw DataError(.unsupported, path: path, "'\(separator)' as a separator", advice: "use a comma, a semicolon or a tab")
    }
    var reader = CSVReader(file.bytes, separator: byte, path: path)
    return try CSV(rows: reader.rows(), hasHeader: hasHeader, path: path)
  }

  private init(rows: [[String]], hasHeader: Bool, path: String) throws(DataError) {
    self.path = path
    self.hasHeader = hasHeader
    let width = rows.first?.count ?? 0
    columns = hasHeader ? rows.first ?? [] : (0..<width).map(String.init)
    self.rows = hasHeader ? Array(rows.dropFirst()) : rows
    if Set(columns).count < columns.count { throw error("a column's name stands twice in its header") }
  }

  /// Columns as numbers, float32 `[rows, columns]`.
  ///
  /// - Parameter names: the columns, in this order.
  /// - Throws: `DataError` of kind `format` where there is no such column, or a field is no number.
  public func tensor(_ names: [String]) throws(DataError) -> Tensor {
    var places: [Int] = []
    for name in names { places.append(try place(of: name)) }
    var values: [Float] = []
    values.reserveCapacity(rows.count * places.count)
    for (i, row) in rows.enumerated() {
      for place in places {
        guard let value = Float(Self.trimmed(row[place])) else {
          throw error(
            "row \(i + (hasHeader ? 2 : 1)), column '\(printable(columns[place], limit: 80))': "
              + "'\(printable(row[place], limit: 80))' is no number")
        }
        values.append(value)
      }
    }
    return Tensor(scalars: values, shape: [rows.count, places.count])
  }

  /// A column of names as labels: the classes in alphabetical order.
  ///
  /// - Returns: for each row its class, and the names of the classes.
  public func labels(_ name: String) throws(DataError) -> (labels: [Int], classNames: [String]) {
    let place = try place(of: name)
    let texts = rows.map { Self.trimmed($0[place]) }
    let classNames = Set(texts).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, $0) })
    return (texts.map { numbers[$0] ?? 0 }, classNames)
  }

  /// A data set with a class to tell: inputs float32 `[rows, features]`, labels int64 `[rows]`.
  ///
  /// - Parameter target: the column with the classes.
  /// - Parameter features: columns of numbers; all others where nothing is said.
  public func classification(
    target: String, features: [String]? = nil
  ) throws(DataError) -> (set: TensorDataset, classNames: [String]) {
    let (labels, classNames) = try labels(target)
    let input = try tensor(features ?? columns.filter { $0 != target })
    return (TensorDataset(input: input, target: Tensor(scalars: labels, shape: [labels.count])), classNames)
  }

  /// A data set with a number to tell: inputs float32 `[rows, features]`, targets float32 `[rows, 1]`.
  ///
  /// - Parameter target: the column with the numbers.
  /// - Parameter features: columns of numbers; all others where nothing is said.
  public func regression(target: String, features: [String]? = nil) throws(DataError) -> TensorDataset {
    TensorDataset(input: try tensor(features ?? columns.filter { $0 != target }), target: try tensor([target]))
  }

  private func place(of name: String) throws(DataError) -> Int {
    if let place = columns.firstIndex(of: name) { return place }
    let known = columns.prefix(20).map { printable($0, limit: 40) }.joined(separator: ", ")
    throw error("no column '\(printable(name, limit: 80))'; there are \(known)")
  }

  private static func trimmed(_ text: String) -> String {
    let start = text.drop { $0 == " " || $0 == "\t" }
    return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }

  private func error(_ reason: String) -> DataError {
    DataError(.format, path: path, reason, advice: "correct the file, or choose other columns")
  }
}

/// Cuts a file into rows of fields.
private struct CSVReader {
  private let bytes: UnsafeRawBufferPointer
  private let separator: UInt8
  private let path: String
  private var position: Int
  private var line = 1

  init(_ bytes: UnsafeRawBufferPointer, separator: UInt8, path: String) {
    self.bytes = bytes
    self.separator = separator
    self.path = path
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  mutating func rows() throws(DataError) -> [[String]] {
    var rows: [[String]] = []
    while position < bytes.count {
      if skipLineBreak() { continue }
      let start = line
      let row = try row()
      if let width = rows.first?.count, row.count != width {
        throw error("\(row.count) fields where the first row has \(width)", line: start)
      }
      rows.append(row)
    }
    return rows
  }

  private mutating func row() throws(DataError) -> [String] {
    var fields: [String] = []
    while true {
      fields.append(try field())
      if position < bytes.count, bytes[position] == separator {
        position += 1
      } else {
        guard position == bytes.count || skipLineBreak() else { throw error("something behind a closing quote", line: line) }
        return fields
      }
    }
  }

  private mutating func field() throws(DataError) -> String {
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try quoted() }
    let start = position
    while position < bytes.count, bytes[position] != separator, bytes[position] != 10, bytes[position] != 13 { position += 1 }
    return try text(bytes[start..<position])
  }

  private mutating func quoted() throws(DataError) -> String {
    let start = line
    position += 1
    var content: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        // Two quotes are one; one is the end.
        guard position < bytes.count, bytes[position] == byte else { return try text(content) }
        position += 1
      }
      if byte == 10 { line += 1 }
      content.append(byte)
    }
    throw error("a quote without an end", line: start)
  }

  /// Reads over "\n", "\r\n" or "\r".
  private mutating func skipLineBreak() -> Bool {
    guard position < bytes.count, bytes[position] == 10 || bytes[position] == 13 else { return false }
    if bytes[position] == 13, position + 1 < bytes.count, bytes[position + 1] == 10 { position += 1 }
    position += 1
    line += 1
    return true
  }

  private func text(_ bytes: some Collection<UInt8>) throws(DataError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw error("a field that isn't UTF-8", line: line) }
    return text
  }

  private func error(_ reason: String, line: Int) -> DataError {
    DataError(.format, path: path, "line \(line): \(reason)", advice: "correct the file, or name another separator")
  }
}
