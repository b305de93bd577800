# Knows who wrote what, and has no hook.
package Hydra::Plugin::GitInput;
use strict;
use warnings;
use parent -norequire, 'Hydra::Plugin';

sub getCommits { return [{ author => 'Ada' }] }

1;
