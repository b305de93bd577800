# Stands in for Hydra's: something that a plugin calls and does not load.
package Hydra::Helper::Nix;
use strict;
use warnings;

sub getBaseUrl { return $_[0]{base_uri} }

1;
