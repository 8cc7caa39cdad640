extension Profile {
  /// Every call as a JSON document that Chrome (`chrome://tracing`) and Perfetto show along a line of time, one row for each thread.
  ///
  /// An event's arguments are the shapes of its operands, its bytes and its floating-point operations. Times are in microseconds.
  public var chromeTrace: String {
    var text = #"{"displayTimeUnit":"ms","otherData":{"dropped_events":"\#(droppedEvents)"},"traceEvents":["#
    var isFirst = true
    for event in events {
      if !isFirst { text += "," }
      isFirst = false
      text += "\n" + event.json
    }
    return text + "\n]}\n"
  }
}

extension Profile.Event {
  fileprivate var json: String {
    var arguments =
      work.shapes.isEmpty ? "" : #""shapes":\#(jsonQuoted(work.shapes.map { "\(Shape(dims: $0))" }.joined(separator: " ")))"#
    func add(_ key: String, _ value: String) { arguments += (arguments.isEmpty ? "" : ",") + #""\#(key)":\#(value)"# }
    if work.bytes > 0 { add("bytes", "\(work.bytes)") }
    if work.flops > 0 { add("flops", "\(work.flops)") }
    let category = kind == .op ? "op" : "span"
    return #"{"name":\#(jsonQuoted(name)),"cat":"\#(category)","ph":"X","pid":1,"tid":\#(thread),"ts":\#(start.seconds * 1e6),"#
      + #""dur":\#(duration.seconds * 1e6),"args":{\#(arguments)}}"#
  }
}
