# Stands in for Hydra's: what each of its plugins is derived from.
package Hydra::Plugin;
use strict;
use warnings;

sub new { my ($class, %given) = @_; return bless {%given}, $class }

sub isEnabled { return 1 }

sub instantiate {
    my ($class, %given) = @_;
    print "all plugins are loaded\n";
    require Hydra::Plugin::GitInput;
    return Hydra::Plugin::GitInput->new(%given);
}

1;
