# Uses a module that nobody has.
package Hydra::Plugin::Needy;
use strict;
use warnings;
use parent 'Hydra::Plugin';
use Module::That::Nobody::Has;

1;
