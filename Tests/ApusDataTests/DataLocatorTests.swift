import ApusData
import Foundation
import TestSupport
import Testing

@Suite struct DataLocatorTests {
  let folder: TemporaryFolder
  let file = MNIST.files(.train, .digits).images

  init() throws { folder = try TemporaryFolder() }

  private func locator(_ asked: String?, downloader: Downloader = Downloader { _, _ in throw CancellationError() }) -> DataLocator
  {
    DataLocator(
      folder: asked.map { folder.file($0) },
      environment: ["APUS_DATA": folder.file("env"), "XDG_CACHE_HOME": folder.file("cache"), "HOME": folder.file("home")],
      downloader: downloader)
  }

  @Test("folders: the one asked for, then APUS_DATA, then the cache")
  func folders() {
    #expect(locator("asked").folders == ["asked", "env", "cache/apus"].map(folder.file))
    #expect(locator("asked").downloadFolder == folder.file("asked"))
    #expect(locator(nil).folders == ["env", "cache/apus"].map(folder.file))
    #expect(locator(nil).downloadFolder == folder.file("cache/apus"))
    func folders(_ variables: [String: String], _ asked: String? = nil) -> [String] {
      DataLocator(folder: asked, environment: variables).folders
    }
    #expect(folders(["HOME": "/h"]) == ["/h/.cache/apus"])
    #expect(folders(["HOME": "/h", "XDG_CACHE_HOME": "relative"]) == ["/h/.cache/apus"])
    #expect(folders(["HOME": "/h", "APUS_DATA": ""]) == ["/h/.cache/apus"])
    #expect(folders(["HOME": "/h", "APUS_DATA": "/a:~/b/"], "~/c") == ["/h/c", "/a", "/h/b", "/h/.cache/apus"])
  }

  @Test("a copy is found in every layout, plain or packed, and the first folder wins")
  func layouts() throws {
    for sub in ["MNIST/raw/", "mnist/", "mnist/raw/", "MNIST/", ""] {
      for name in ["train-images-idx3-ubyte.gz", "train-images-idx3-ubyte", "train-images.idx3-ubyte"] {
        for place in ["asked", "env", "cache/apus"] {
          let fresh = try TemporaryFolder()
          let locator = DataLocator(
            folder: fresh.file("asked"), environment: ["APUS_DATA": fresh.file("env"), "XDG_CACHE_HOME": fresh.file("cache")])
          let path = try fresh.write([], "\(place)/\(sub)\(name)")
          #expect(locator.find(file) == path)
        }
      }
    }
    for place in ["cache/apus", "env", "asked"] {
      let path = try folder.write([], "\(place)/mnist/train-images-idx3-ubyte")
      #expect(locator("asked").find(file) == path)
    }
  }

  @Test("a folder with the name of a file is no file")
  func folderInPlaceOfFile() throws {
    try folder.write([], "asked/mnist/train-images-idx3-ubyte.gz/x")
    #expect(locator("asked").find(file) == nil)
  }

  @Test("what is nowhere is downloaded to torchvision's place")
  func download() throws {
    let asked = locator(
      "asked",
      downloader: Downloader { address, _ in
        #expect(address.hasSuffix("/train-images-idx3-ubyte.gz"))
        throw CancellationError()
      })
    let error = dataError { _ = try asked.locate(file, progress: nil) }
    #expect(error?.kind == .download)
    let text = error?.description ?? ""
    for part in [
      "MNIST: train-images-idx3-ubyte.gz: not found in", folder.file("asked"), folder.file("env"), folder.file("cache/apus"),
      "https://ossci-datasets.s3.amazonaws.com/mnist/: ", "put train-images-idx3-ubyte.gz into \(folder.file("asked/MNIST/raw"))",
      "--data synthetic",
    ] {
      #expect(text.contains(part), "\(part) isn't in: \(text)")
    }
    #expect(folder.contents == [])
  }

  @Test("downloads can be forbidden")
  func offline() {
    let locator = DataLocator(folder: folder.path, environment: ["HOME": folder.path], allowsDownload: false)
    #expect(dataError { _ = try locator.locate(file, progress: nil) }?.kind == .missing)
  }
}
