# Is not Perl.
package Hydra::Plugin::Torn;
use strict;
sub buildFinished { my ($self, $build = @_;

1;
