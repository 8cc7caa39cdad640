/// Downloads with the system's URL loading, as a call that returns when all is there.
enum HTTP {
  /// A server that refused, or a connection that failed.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }
}

#if NoFoundation
  extension HTTP {
    static func fetch(_ address: String, _ receive: (_ piece: UnsafeRawBufferPointer, _ total: Int?) throws -> Void) throws {
      throw Failure(description: "this build has no network")
    }
  }
#else
  import Foundation

  #if canImport(FoundationNetworking)
    import FoundationNetworking
  #endif

  extension HTTP {
    /// Calls `receive`, on this thread, with each piece of what is at `address`. Pieces are taken from the network no faster than `receive`
    /// returns.
    static func fetch(_ address: String, _ receive: (_ piece: UnsafeRawBufferPointer, _ total: Int?) throws -> Void) throws {
      guard let url = URL(string: address) else { throw Failure(description: "not an address") }
      let transfer = Transfer()
      let configuration = URLSessionConfiguration.ephemeral
      // No answer for this long is a failure; a slow but steady transfer isn't.
      configuration.timeoutIntervalForRequest = 20
      let session = URLSession(configuration: configuration, delegate: transfer, delegateQueue: nil)
      var request = URLRequest(url: url)
      // The file is wanted as it is: some servers offer to unpack a `.gz` on the way.
      request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
      let task = session.dataTask(with: request)
      task.resume()
      defer {
        task.cancel()
        transfer.events.cancel()
        session.invalidateAndCancel()
      }
      while let event = transfer.events.pop() {
        switch event {
        case .piece(let data, let total): try data.withUnsafeBytes { try receive($0, total) }
        case .failure(let reason): throw Failure(description: reason)
        }
      }
    }

    private enum Event: Sendable {
      case piece(Data, total: Int?)
      case failure(String)
    }

    /// Passes what the session's thread is told on to the thread that waits.
    private final class Transfer: NSObject, URLSessionDataDelegate, Sendable {
      let events = BoundedQueue<Event>(capacity: 64)

      func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
      ) {
        guard let http = response as? HTTPURLResponse, http.statusCode != 200 else { return completionHandler(.allow) }
        _ = events.push(.failure("the server answered \(http.statusCode)"))
        completionHandler(.cancel)
      }

      func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let expected = dataTask.response?.expectedContentLength ?? -1
        if !events.push(.piece(data, total: expected > 0 ? Int(expected) : nil)) { dataTask.cancel() }
      }

      func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let error { _ = events.push(.failure((error as NSError).localizedDescription)) }
        events.finish()
      }
    }
  }
#endif
