import ApusCore

/// The module whose forward is running, inside `detectAnomaly`.
private struct RunningModule: @unchecked Sendable {
  let module: Module
  /// The way to it from the outermost module that was called, which stands first by its type: `Classifier.body.1`.
  let path: String

  @TaskLocal static var current: RunningModule?
}

extension Module {
  /// Runs `body` as this module's work, which errors name by its path: `Classifier.body.1 (Linear)`.
  func named<R>(_ body: () -> R) -> R {
    let path = pathFromCaller ?? kind
    return RunningModule.$current.withValue(RunningModule(module: self, path: path)) {
      ModulePath.with(path.contains(".") ? "\(path) (\(kind))" : path, body)
    }
  }

  private var pathFromCaller: String? {
    guard let caller = RunningModule.current,
      let name = caller.module.namedModules().first(where: { $0.module === self })?.name
    else { return nil }
    return name.isEmpty ? caller.path : "\(caller.path).\(name)"
  }
}
