# Does with each build what hydra.conf says: the words of `does`, the next at each call,
# the last one again and again.
package Hydra::Plugin::Misbehaves;
use strict;
use warnings;
use parent 'Hydra::Plugin';

my %ways = (
    works => sub { },
    dies => sub { die "no luck with build ${\$_[1]->id}\nat all\n" },
    dies_somewhere => sub { die 'no luck' },
    dies_of_an_object => sub { die { code => 404 } },
    exits => sub { exit 78 },
    has_a_child_that_exits => sub {
        my $child = fork // die $!;
        exit 3 unless $child;
        waitpid $child, 0;
        die "the child: $?\n" unless $? == 3 << 8;
    },
    has_a_child_that_dies => sub {
        my $child = fork // die $!;
        die "in the child\n" unless $child;
        waitpid $child, 0;
    },
    is_killed => sub { kill SEGV => $$; sleep 60 },
    hangs => sub { sleep 3600 while 1 },
    prints => sub { print "printed\n"; system('echo echoed'); warn "warned\n" },
    reads => sub { die "it read: $_\n" for <STDIN>, `cat` },
    litters => sub { ($/, $\, $,) = ('x', 'y', 'z'); select(STDERR); $_ = 'w' },
    leaves_a_transaction => sub { $_[0]{db}->storage->txn_begin },
    loses_the_database => sub {
        open(my $file, '>', 'database-is-away') or die $!;
        die "the server closed the connection\n";
    },
    asks_for_commits => sub {
        my ($self) = @_;
        print map { "by $_->{author}\n" }
            map { @{ $_->getCommits } } @{ $self->{plugins} };
    },
    counts_rows => sub { print "rows: $Stub::Row::alive\n" },
    says_what_it_knows => sub {
        my ($self) = @_;
        print join("\n", "address: ${\$self->{db}->address}",
            map({ "$_: " . ($ENV{$_} // 'none') } qw(HYDRA_DBI HYDRA_DATA)),
            'umask: ' . umask,
            'base: ' . Hydra::Helper::Nix::getBaseUrl($self->{config})), "\n";
    },
);

sub isEnabled {
    my ($self) = @_;
    $ways{$_} or die "there is no way to $_\n" for $self->ways;
    return defined $self->{config}{does};
}

sub ways { return split ' ', $_[0]{config}{does} // '' }

# How often it was called is in a file: it does not live on.
sub buildFinished {
    my ($self, $build) = @_;
    open(my $file, '>>', 'calls') or die $!;
    syswrite $file, '.';
    my @ways = $self->ways;
    my $way = $ways[(-s $file) - 1] // $ways[-1];
    close($file) or die $!;
    $ways{$way}->($self, $build);
}

1;
