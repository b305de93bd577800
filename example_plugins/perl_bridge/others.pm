# Hydra's enabled plugins, which some plugins ask for the commits between two revisions.
# They are large, and seldom asked: they are loaded when somebody looks at the list.
package PerlBridge::Others;
use strict;
use warnings;
use parent 'Tie::Array';

sub TIEARRAY { my ($class, %given) = @_; return bless { given => \%given }, $class }

sub all {
    my ($self) = @_;
    return $self->{all} //= [Hydra::Plugin->instantiate(%{ $self->{given} })];
}

sub FETCHSIZE { return scalar @{ $_[0]->all } }

sub FETCH { return $_[0]->all->[$_[1]] }

1;
