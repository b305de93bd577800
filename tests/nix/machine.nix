# The configuration that `modules` make, on a machine with names for packages.
{ modules }:
let
  lib = import ./lib.nix;
  package = name: {
    outPath = "/nix/store/${name}";
  };
  pkgs = {
    coreutils = package "coreutils";
    jq = package "jq";
    perl = package "perl";
    formats.toml = _: {
      type = lib.types.anything;
      generate = name: _: package name;
    };
    callPackage =
      path: _:
      assert builtins.pathExists path;
      package "hydra-notify" // { plugins = package "hydra-notify-plugins"; };
  };
  config = lib.evalModules {
    inherit modules;
    args = {
      inherit lib pkgs;
    };
  };
in
lib.settled {
  inherit (config) systemd services;
  assertions = config.assertions or [ ];
  environment = config.environment or { };
  users = config.users or { };
}
