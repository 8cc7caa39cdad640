/// The instructions of Python's pickles, protocols 2 to 5, that tensors need. There is none among them that makes an object of a class,
/// calls a method or sets an attribute.
enum PickleOpcode: UInt8, CaseIterable, Sendable {
  case proto = 0x80, stop = 0x2E, frame = 0x95
  case mark = 0x28, memoize = 0x94, binPut = 0x71, longBinPut = 0x72, binGet = 0x68, longBinGet = 0x6A
  case none = 0x4E, newTrue = 0x88, newFalse = 0x89
  case binInt = 0x4A, binInt1 = 0x4B, binInt2 = 0x4D, long1 = 0x8A, binFloat = 0x47
  case binUnicode = 0x58, shortBinUnicode = 0x8C, binUnicode8 = 0x8D, shortBinString = 0x55
  case binBytes = 0x42, shortBinBytes = 0x43, binBytes8 = 0x8E, byteArray8 = 0x96
  case emptyTuple = 0x29, tuple = 0x74, tuple1 = 0x85, tuple2 = 0x86, tuple3 = 0x87
  case emptyList = 0x5D, append = 0x61, appends = 0x65
  case emptyDict = 0x7D, setItem = 0x73, setItems = 0x75
  case emptySet = 0x8F, addItems = 0x90
  case global = 0x63, stackGlobal = 0x93, reduce = 0x52, build = 0x62, binPersid = 0x51

  /// Names of instructions that are refused, for messages.
  static let refusedNames: [UInt8: String] = [
    0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x46: "FLOAT", 0x49: "INT", 0x4C: "LONG", 0x50: "PERSID", 0x53: "STRING",
    0x54: "BINSTRING", 0x56: "UNICODE", 0x64: "DICT", 0x67: "GET", 0x69: "INST", 0x6C: "LIST", 0x6F: "OBJ", 0x70: "PUT",
    0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x8B: "LONG4", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX",
    0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
  ]
}
