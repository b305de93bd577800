# The host with its SDK and its plugins, each a package: `hydra-notify`, and in its
# passthru `sdk` and `plugins`.
{
  lib,
  python3,
  # The checkout.
  src ? ../..,
}:

let
  inherit (python3.pkgs) buildPythonApplication buildPythonPackage hatchling;

  # hydra_notify.__version__; the three are released together.
  version = "0.1.0";

  sources =
    names:
    lib.fileset.toSource {
      root = src;
      fileset = lib.fileset.unions (map (name: src + "/${name}") names);
    };

  meta = {
    license = lib.licenses.mit;
    platforms = lib.platforms.unix;
  };

  sdk = buildPythonPackage {
    pname = "hydra-notify-sdk";
    inherit version;
    pyproject = true;
    src = sources [ "plugin_sdk" ] + "/plugin_sdk";
    build-system = [ hatchling ];
    dependencies = [ python3.pkgs.msgspec ];
    pythonImportsCheck = [ "hydra_notify_sdk" ];
    meta = meta // {
      description = "Write plugins for hydra-notify in Python";
    };
  };

  plugins = buildPythonApplication {
    pname = "hydra-notify-plugins";
    inherit version;
    pyproject = true;
    src = sources [ "example_plugins" ] + "/example_plugins";
    build-system = [ hatchling ];
    # With all extras: apprise, nats, run-command, s3.
    dependencies = [
      python3.pkgs.apprise
      python3.pkgs.httpx2
      python3.pkgs.nats-py
      python3.pkgs.obstore
      python3.pkgs.psycopg
      sdk
    ];
    pythonImportsCheck = [ "hydra_notify_plugins" ];
    meta = meta // {
      description = "What Hydra's own plugins do, as plugins of hydra-notify";
    };
  };
in
buildPythonApplication {
  pname = "hydra-notify";
  inherit version;
  pyproject = true;
  src = sources [
    "CHANGELOG.md"
    "LICENSE"
    "README.md"
    "example_plugins"
    "hatch_build.py"
    "host"
    "hydra-notify.toml"
    "packaging"
    "pyproject.toml"
  ];
  build-system = [ hatchling ];
  dependencies = [
    python3.pkgs.click
    python3.pkgs.h11
    python3.pkgs.jinja2
    python3.pkgs.msgspec
    python3.pkgs.prometheus-client
    python3.pkgs.psycopg
    python3.pkgs.rich
    python3.pkgs.tomli-w
    python3.pkgs.trio
    sdk
  ];
  # They need a Postgres and an hour of machine; `make test` runs them.
  doCheck = false;
  pythonImportsCheck = [ "hydra_notify" ];
  passthru = { inherit sdk plugins; };
  meta = meta // {
    description = "Deliver Hydra's build events to plugins, each a process of its own";
    mainProgram = "hydra-notify";
  };
}
