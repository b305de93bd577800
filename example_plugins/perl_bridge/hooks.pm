# The hooks of Hydra's plugins, and what each is called with: rows of Hydra's tables, as
# Hydra's own service looks them up.
package PerlBridge::Hooks;
use strict;
use warnings;

# By channel: the hook, and what makes its arguments of database and data.
my %HOOKS = (
    build_queued => [buildQueued => \&build],
    build_started => [buildStarted => \&build],
    build_finished => [buildFinished => sub { build(@_), dependents(@_) }],
    cached_build_queued => [cachedBuildQueued => sub { evaluation(@_), build(@_) }],
    cached_build_finished => [cachedBuildFinished => sub { evaluation(@_), build(@_) }],
    step_finished => [stepFinished => sub { step(@_), log_path(@_) }],
    eval_started => [evalStarted => sub { trace(@_), jobset(@_) }],
    eval_cached => [evalCached => sub { trace(@_), jobset(@_), evaluation(@_) }],
    eval_added =>
        [evalAdded => sub { trace(@_), jobset(@_), evaluation(@_), error_changed(@_) }],
    eval_failed => [evalFailed => sub { trace(@_), jobset(@_), error_changed(@_) }],
);

# The channels whose hooks a plugin has.
sub channels {
    my ($plugin) = @_;
    return grep { $plugin->can($HOOKS{$_}[0]) } sort keys %HOOKS;
}

# The hook of a channel, if there is one.
sub hook {
    my ($channel) = @_;
    return ($HOOKS{$channel} // [])->[0];
}

# What the hook of a channel is called with. Fails with code 410 when a row is gone: it
# was deleted after the event, and does not come back.
sub arguments {
    my ($channel, $db, $data) = @_;
    return $HOOKS{$channel}[1]->($db, $data);
}

sub found {
    my ($what, $id, $find) = @_;
    main::fail(410, "$what is not named") unless defined $id;
    my $row = $find->($id);
    return $row // main::fail(410, "$what $id does not exist");
}

sub build {
    my ($db, $data) = @_;
    return found('build', $data->{build}, sub { $db->resultset('Builds')->find(@_) });
}

sub evaluation {
    my ($db, $data) = @_;
    return found('evaluation', $data->{eval}{id},
        sub { $db->resultset('JobsetEvals')->find(@_) });
}

# The key of this table is another one.
sub jobset {
    my ($db, $data) = @_;
    return found('jobset', $data->{jobsetInfo}{id},
        sub { $db->resultset('Jobsets')->find({ id => $_[0] }) });
}

sub step {
    my ($db, $data) = @_;
    my $build = build($db, $data);
    return found("of build $data->{build}, step", $data->{step}{stepnr},
        sub { $build->buildsteps->find({ stepnr => $_[0] }) });
}

# Without those that are gone: the others, and the build itself, are still news.
sub dependents {
    my ($db, $data) = @_;
    my @rows;
    for my $id (@{ $data->{dependentIds} // [] }) {
        my $row = $db->resultset('Builds')->find($id);
        if (defined $row) { push @rows, $row; next }
        warn "build $data->{build}: its dependent $id is gone, and left out\n";
    }
    return \@rows;
}

sub trace { return $_[1]{traceId} }

sub log_path { return $_[1]{step}{logPath} }

# Nothing where the evaluator does not say, as in the Hydras of that time.
sub error_changed {
    my ($db, $data) = @_;
    return defined $data->{errorChanged} ? ($data->{errorChanged} ? 1 : 0) : ();
}

1;
