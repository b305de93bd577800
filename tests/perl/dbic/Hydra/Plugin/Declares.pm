# Makes jobsets as a declarative project's build says, as DeclarativeJobsets does.
package Hydra::Plugin::Declares;
use strict;
use warnings;
use parent 'Hydra::Plugin';
use JSON::PP;

sub buildFinished {
    my ($self, $build, $dependents) = @_;
    my $project = $build->jobset->project;
    return unless defined $project->declfile && $build->jobset->name eq '.jobsets';
    my ($output) = $build->buildoutputs;
    open(my $file, '<', $output->path) or die "${\$output->path}: $!\n";
    my $declared = decode_json(join '', <$file>);
    my @kept = ('.jobsets', keys %$declared);
    $self->{db}->txn_do(sub {
        $project->jobsets->search({ name => { 'not in' => \@kept } })
            ->update({ enabled => 0, hidden => 1 });
        for my $name (sort keys %$declared) {
            my %inputs = %{ delete $declared->{$name}{inputs} };
            my $jobset = $project->jobsets->update_or_create(
                { %{ $declared->{$name} }, name => $name, emailoverride => '' });
            $jobset->jobsetinputs->delete;
            $jobset->jobsetinputs->create({ name => $_, type => $inputs{$_} })
                for sort keys %inputs;
        }
    });
}

1;
