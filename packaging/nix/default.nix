# `nix-build packaging/nix` builds the host; `-A plugins` and `-A sdk` the others.
{
  pkgs ? import <nixpkgs> { },
}:

pkgs.callPackage ./package.nix { }
