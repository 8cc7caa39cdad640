#if os(Linux) && canImport(Runtime)
  // The standard library's stack traces; not to be mixed up with `Runtime`, this module's.
  private import Runtime
#endif

/// Where an op was called: the stack, of which names and lines are looked up when somebody asks, and the module.
struct CallSite: Sendable {
  let module: String?

  #if os(Linux) && canImport(Runtime)
    private let stack: Backtrace?

    init(module: String?) {
      self.module = module
      stack = try? Backtrace.capture(limit: 48, top: 0, images: Self.images)
    }

    /// The libraries in memory, looked for once: that takes long, and goes wrong where another thread gives a mapped file back meanwhile.
    private static let images = ImageMap.capture()

    /// The innermost caller that is not Apus itself, with its line where there is debug information.
    private var caller: String? {
      let frames = stack?.symbolicated(options: [.showInlineFrames, .showSourceLocations, .useSymbolCache])?.frames
      let symbols = (frames ?? []).compactMap(\.symbol).filter { !isOwn($0) }
      if let symbol = symbols.first(where: { $0.sourceLocation != nil }), let place = symbol.sourceLocation {
        return "\(symbol.name) at \(place.path):\(place.line)"
      }
      return symbols.first?.name
    }

    /// Whether a function belongs to the libraries between an op and the code that uses it, Swift's own included.
    private func isOwn(_ symbol: SymbolicatedBacktrace.Symbol) -> Bool {
      if let path = symbol.sourceLocation?.path {
        if path.contains("compiler-generated") { return true }
        // Release builds have relative paths.
        return ["ApusCore", "ApusNN", "ApusOptim"].contains { "/\(path)".contains("/Sources/\($0)/") }
      }
      let own = ["$s8ApusCore", "$s6ApusNN", "$s9ApusOptim", "$ss", "$sS"]
      return symbol.imageName.hasPrefix("libswift") || own.contains { symbol.rawName.hasPrefix($0) }
    }
  #else
    init(module: String?) { self.module = module }

    private var caller: String? { nil }
  #endif

  /// To be put after a message.
  var text: String {
    let place = caller.map { "; called in \($0)" } ?? ""
    guard let module else { return place }
    return place + (place.isEmpty ? "; in module \(module)" : ", in module \(module)")
  }
}
