"""What the simulated Hydra builds: made up, and shaped like nixpkgs.

Everything comes from the `random.Random` that is passed in, so one seed always makes
the same builds.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

SYSTEMS: Final = (
    "x86_64-linux",
    "x86_64-linux",
    "aarch64-linux",
    "aarch64-darwin",
)
"""As frequent as they are here."""

MACHINES: Final = (
    "ssh://hydra-queue-runner@elated-minsky.builder.example.org",
    "ssh://hydra-queue-runner@goofy-hopcroft.builder.example.org",
    "ssh://hydra-queue-runner@hopeful-rivest.builder.example.org",
    "localhost",
)

NIX_BASE32: Final = "0123456789abcdfghijklmnpqrsvwxyz"
"""The digits of a store path's hash; e, o, t and u are not among them."""

PEOPLE: Final = (
    "ada@example.org",
    "björk@example.org",
    "grace@example.org",
    "o'neil+nix@example.org",
)


@dataclass(frozen=True, slots=True)
class Package:
    """A package as its `meta` describes it; None is what it does not say."""

    attribute: str
    version: str
    description: str | None
    license: str | None
    homepage: str | None
    outputs: tuple[str, ...] = ("out",)


PACKAGES: Final = (
    Package(
        "hello",
        "2.12.1",
        "Program that produces a familiar, friendly greeting",
        "gpl3Plus",
        "https://hello.example.org/",
    ),
    Package(
        "python312Packages.numpy",
        "2.2.6",
        "Scientific tools for Python",
        "bsd3",
        "https://numpy.example.org/",
    ),
    Package(
        "haskellPackages.aeson",
        "2.2.3.0",
        "Fast JSON parsing and encoding",
        "bsd3",
        "https://aeson.example.org/",
        ("out", "doc"),
    ),
    Package(
        "openssl",
        "3.4.1",
        "Cryptographic library that implements the SSL and TLS protocols",
        "openssl",
        "https://openssl.example.org/",
        ("bin", "dev", "out", "man", "doc"),
    ),
    Package("linuxPackages_latest.kernel", "6.14.2", None, "gpl2Only", None),
    Package(
        "naïve-café",
        "0.9",
        "Übersetzt “naïve” — 日本語も、עברית גם 🎉",
        None,
        "https://xn--nave-6pa.example.org/?q=a&b=<c>",
    ),
    Package(
        "gcc-unwrapped",
        "14.2.1",
        "GNU Compiler Collection",
        "gpl3Plus",
        "https://gcc.example.org/",
        ("out", "lib", "man", "info", "libgcc"),
    ),
    Package(
        "firefox",
        "138.0",
        "Web browser built from Firefox source tree",
        "mpl20",
        "https://firefox.example.org/",
    ),
    Package(
        "texlive.combined.scheme-full",
        "2024",
        'Tab:\tquote:" backslash:\\ and nothing else',
        None,
        None,
    ),
    Package(
        "rustc",
        "1.86.0",
        "Safe, concurrent, practical language",
        "mit",
        "https://rust.example.org/",
        ("out", "man", "doc"),
    ),
    Package("tests.trivial-builders", "0", None, None, None),
    Package(
        "postgresql_17",
        "17.4",
        "Powerful, open source object-relational database system",
        "postgresql",
        "https://postgresql.example.org/",
        ("out", "lib", "doc", "man"),
    ),
)


@dataclass(frozen=True, slots=True)
class NewBuild:
    """A build as an evaluation adds it.

    Attributes:
        outputs: Name and store path; no path where it depends on the contents.
    """

    job: str
    nix_name: str
    description: str | None
    drv_path: str
    system: str
    license: str | None
    homepage: str | None
    maintainers: str | None
    timeout: int
    priority: int
    outputs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """One thing to download from a finished build."""

    type: str
    subtype: str
    name: str
    path: str | None
    default_path: str | None
    size: int | None
    sha256: str | None


def job_name(number: int) -> str:
    """The name of a jobset's job number `number`, counted from 0; there is no last."""
    package = PACKAGES[number % len(PACKAGES)]
    round_, system = number // len(PACKAGES), SYSTEMS[number % len(SYSTEMS)]
    # Later rounds are variants, so that a jobset can be as large as nixpkgs.
    prefix = f"pkgsCross.variant{round_}." if round_ else ""
    return f"{prefix}{package.attribute}.{system}"


def new_build(random: Random, number: int) -> NewBuild:
    """Another derivation of job number `number`."""
    package = PACKAGES[number % len(PACKAGES)]
    nix_name = f"{package.attribute.rpartition('.')[2]}-{package.version}"
    # Store paths are ASCII.
    file_name = nix_name.encode("ascii", "replace").decode().replace("?", "_")
    depends_on_contents = random.random() < 0.05
    return NewBuild(
        job=job_name(number),
        nix_name=nix_name,
        description=package.description,
        drv_path=store_path(random, f"{file_name}.drv"),
        system=SYSTEMS[number % len(SYSTEMS)],
        license=package.license,
        homepage=package.homepage,
        maintainers=",".join(random.sample(PEOPLE, random.randrange(3))) or None,
        timeout=random.choice((7200, 36000, 172800)),
        priority=random.choice((10, 10, 10, 100)),
        outputs=tuple(
            (
                output,
                None
                if depends_on_contents
                else store_path(
                    random, file_name if output == "out" else f"{file_name}-{output}"
                ),
            )
            for output in package.outputs
        ),
    )


def products(random: Random, output: str) -> tuple[Product, ...]:
    """What a successful build offers, given the store path of an output."""
    name = output.rpartition("/")[2].partition("-")[2]
    whole = Product("nix-build", "", name, output, "", None, None)
    archive = Product(
        "file",
        "source-dist",
        f"{name}.tar.xz",
        f"{output}/tarballs/{name}.tar.xz",
        "",
        random.randrange(10_000, 4_000_000_000),
        f"{random.getrandbits(256):064x}",
    )
    manual = Product("doc", "manual", "handbuch", f"{output}/doc", "index.html", 0, "")
    missing = Product("report", "testlog", "log", None, None, None, None)
    return random.choice(
        ((whole,), (whole,), (whole, archive), (archive, manual), (whole, missing), ())
    )


def metrics(random: Random) -> tuple[tuple[str, str | None, float], ...]:
    """Name, unit and value of what a successful build measured."""
    measured = (
        ("lineCoverage", "%", round(random.uniform(40, 100), 2)),
        ("maxResident", "KiB", float(random.randrange(1_000, 9_000_000))),
        ("nrOfTests", None, float(random.randrange(5_000))),
    )
    return measured if random.random() < 0.2 else ()


def revision(random: Random) -> str:
    """A git revision."""
    return f"{random.getrandbits(160):040x}"


def store_path(random: Random, name: str) -> str:
    """A path in the Nix store."""
    digits = "".join(random.choices(NIX_BASE32, k=32))
    return f"/nix/store/{digits}-{name}"
