// `import Apus` brings in all libraries.
@_exported import ApusCore
@_exported import ApusData
@_exported import ApusFormats
@_exported import ApusModels
@_exported import ApusNN
@_exported import ApusOptim
@_exported import ApusTraining
