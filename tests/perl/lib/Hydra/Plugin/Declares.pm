# Writes through Hydra's database, as DeclarativeJobsets does: all or nothing.
package Hydra::Plugin::Declares;
use strict;
use warnings;
use parent 'Hydra::Plugin';

sub buildFinished {
    my ($self, $build, $dependents) = @_;
    $self->{db}->txn_do(sub {
        $self->{db}->write("jobset of build ${\$build->id}");
        die "no jobset: there is a dependent\n" if @$dependents;
    });
}

1;
