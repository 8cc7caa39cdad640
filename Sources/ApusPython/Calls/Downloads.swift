import ApusData
import CApusPython

extension Downloader {
  /// Downloads by Python's means, which know the user's proxies and certificates.
  static let python = Downloader { address, receive in
    var reason: UnsafeMutablePointer<CChar>?
    guard let response = callbacks.open(address, &reason) else { throw DownloadFailure(reason) }
    defer { callbacks.release(response) }
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
      while true {
        let count = callbacks.read(response, buffer.baseAddress, buffer.count, &reason)
        if count < 0 { throw DownloadFailure(reason) }
        if count == 0 { return }
        try receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]), nil)
      }
    }
  }
}

private struct DownloadFailure: Error, CustomStringConvertible {
  let description: String

  init(_ reason: UnsafeMutablePointer<CChar>?) {
    description = reason.map { String(cString: $0) } ?? "interrupted"
    free(reason)
  }
}
