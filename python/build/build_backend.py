"""Builds the package (PEP 517 and 660): SwiftPM makes libApusPython, the toolchain's clang (or cc) the extension module, and a wheel carries
both. Needs nothing but the standard library, Swift and a C compiler.

`pip install ./python` uses the repository's .build. With `--config-settings bundle=1`, or APUS_BUNDLE=1, the library contains Swift's
runtime, so that the wheel runs where there is no Swift. Foundation, four times as large as all the rest, is left out: it is needed for downloads
alone, which are Python's business here. (On macOS both belong to the system.)
"""

import base64
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent
LIBRARY = "libApusPython.dylib" if sys.platform == "darwin" else "libApusPython.so"


def get_requires_for_build_wheel(config_settings=None):
    return []


get_requires_for_build_editable = get_requires_for_build_sdist = get_requires_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    bundle = _wants_bundle(config_settings)
    files = {f"apus/{path.relative_to(HERE / 'apus').as_posix()}": path.read_bytes() for path in _sources()}
    binaries = {f"apus/{path.name}": path.read_bytes() for path in _compile(bundle)}
    return _write_wheel(wheel_directory, {**files, **binaries}, _tag(_platform(binaries.values()) if bundle else None))


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    for path in _compile(_wants_bundle(config_settings)):
        target = HERE / "apus" / path.name
        target.unlink(missing_ok=True)
        shutil.copy2(path, target)
    return _write_wheel(wheel_directory, {"apus.pth": f"{HERE}\n".encode()}, _tag())


def build_sdist(sdist_directory, config_settings=None):
    raise SystemExit("apus is built from its repository, which holds the Swift library: pip install ./python")


def _wants_bundle(config_settings):
    setting = (config_settings or {}).get("bundle", os.environ.get("APUS_BUNDLE", ""))
    return str(setting).lower() not in ("", "0", "false", "no")


def _sources():
    """The package's own files: what is installed as it stands."""
    return [
        path for path in sorted((HERE / "apus").rglob("*"))
        if path.suffix in (".py", ".pyi", ".typed") and "__pycache__" not in path.parts
    ]


def _run(*command, **options):
    print("+", *command, flush=True)
    return subprocess.run([str(part) for part in command], check=True, **options)


def _compile(bundle):
    """Builds the library and the extension; returns their paths."""
    swift = shutil.which("swift")
    if swift is None:
        raise SystemExit("apus: there is no 'swift' on the PATH; install Swift 6.2 or later from https://www.swift.org/install")
    if not (ROOT / "Package.swift").exists():
        raise SystemExit(f"apus: {ROOT} is not the repository of Apus; install with pip install ./python from a checkout")
    options = ["-c", "release", "--product", "ApusPython"]
    if bundle:
        options += _bundling()
    _run(swift, "build", *options, cwd=ROOT)
    shown = _run(swift, "build", *options, "--show-bin-path", cwd=ROOT, stdout=subprocess.PIPE, text=True)
    binaries = pathlib.Path(shown.stdout.strip().splitlines()[-1])
    output = binaries / "python"
    output.mkdir(exist_ok=True)
    library = output / LIBRARY
    shutil.copy2(binaries / LIBRARY, library)
    return [library, _extension(swift, output)]


def _bundling():
    """Options for a library that carries Swift's runtime and has no symbols but those that the extension calls."""
    options = ["--scratch-path", ".build/wheel", "--traits", "NoFoundation"]
    if sys.platform == "darwin":
        return options + ["-Xlinker", "-x"]
    # SwiftPM's --static-swift-stdlib is for programs; it chooses the static modules, -static-stdlib the static libraries.
    options += ["--static-swift-stdlib", "-Xswiftc", "-static-stdlib"]
    return options + ["-Xlinker", f"--version-script={HERE / 'build' / 'exports.map'}", "-Xlinker", "-s"]


def _extension(swift, output):
    beside = pathlib.Path(swift).resolve().parent / "clang"
    compiler = os.environ.get("CC") or (str(beside) if beside.exists() else shutil.which("cc") or "cc")
    target = output / f"_C{sysconfig.get_config_var('EXT_SUFFIX')}"
    sources = sorted((HERE / "src").glob("*.c"))
    inputs = sources + sorted((HERE / "src").glob("*.h")) + sorted((ROOT / "Sources" / "CApusPython").glob("*.h"))
    if target.exists() and all(path.stat().st_mtime <= target.stat().st_mtime for path in inputs):
        return target
    if sys.platform == "darwin":
        link = ["-bundle", "-undefined", "dynamic_lookup", "-Wl,-rpath,@loader_path"]
    else:
        link = ["-shared", "-Wl,-rpath,$ORIGIN"]
    _run(
        compiler, "-O2", "-fPIC", "-fvisibility=hidden", "-std=c11", "-Wall", *link, "-o", target, *sources,
        "-I", sysconfig.get_paths()["include"], "-I", ROOT / "Sources" / "CApusPython", "-L", output, "-lApusPython", "-lpthread")
    return target


# Wheels


def _project():
    """The few fields of pyproject.toml that a wheel repeats (there is no TOML reader before Python 3.11)."""
    fields = {}
    for line in (HERE / "pyproject.toml").read_text().splitlines():
        name, _, value = line.partition(" = ")
        if name in ("name", "version", "description", "requires-python"):
            fields.setdefault(name, value.strip('"'))
    return fields


def _platform(binaries):
    """The platform that a bundled wheel runs on: on Linux every one with the C library's version that its binaries ask for (PEP 600)."""
    if sys.platform != "linux":
        return sysconfig.get_platform()
    asked = [int(number) for binary in binaries for number in re.findall(rb"\0GLIBC_2\.(\d+)", binary)]
    return f"manylinux_2_{max(asked)}_{os.uname().machine}" if asked else sysconfig.get_platform()


def _tag(platform=None):
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-{re.sub('[-.]', '_', platform or sysconfig.get_platform())}"


def _write_wheel(directory, files, tag):
    project = _project()
    stem = f"{project['name']}-{project['version']}"
    info = f"{stem}.dist-info"
    readme = HERE / "README.md"
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\nSummary: {project['description']}\n"
        f"Requires-Python: {project['requires-python']}\nLicense: MIT\nProvides-Extra: numpy\nRequires-Dist: numpy; extra == 'numpy'\n"
        f"Description-Content-Type: text/markdown\n\n{readme.read_text() if readme.exists() else ''}").encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: apus\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    license_file = ROOT / "LICENSE"
    if license_file.exists():
        files[f"{info}/LICENSE"] = license_file.read_bytes()
    record = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(content)}")
    files[f"{info}/RECORD"] = "\n".join(record + [f"{info}/RECORD,,", ""]).encode()
    name = f"{stem}-{tag}.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if ".so" in path or path.endswith(".dylib") else 0o644) << 16
            archive.writestr(entry, content)
    return name
