/// The key that a property has in state dictionaries: PyTorch's spelling of a Swift name, `runningMean` as `running_mean`.
///
/// Each capital becomes an underscore and the small letter; of several in a row, only the first and one that starts a new word
/// (`lastEMAValue` as `last_ema_value`). Digits stay where they are: `layer1`. Names with no capital are their own keys.
func keyName(_ property: String) -> String {
  guard property.utf8.contains(where: { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }) else { return property }
  let letters = Array(property)
  var key = ""
  for (i, letter) in letters.enumerated() {
    let startsWord = i > 0 && (!letters[i - 1].isUppercase || (i + 1 < letters.count && letters[i + 1].isLowercase))
    if letter.isUppercase && startsWord && letters[i - 1] != "_" { key += "_" }
    key += letter.lowercased()
  }
  return key
}
