# Stands in for Hydra's, in memory: a row of any id below 2000000000 exists. It is away
# while there is a file `database-is-away`; what is committed is in `written`.
package Hydra::Model::DB;
use strict;
use warnings;

print "Hydra::Model::DB is loaded\n";

my $address = $ENV{HYDRA_DBI} // 'dbi:of:the:environment';

sub new { return bless { storage => bless({ depth => 0 }, 'Stub::Storage') }, shift }

sub storage { return $_[0]{storage} }

sub address { return $address }

sub resultset {
    my (undef, $source) = @_;
    return bless { source => $source }, 'Stub::ResultSet';
}

sub txn_do {
    my ($self, $work) = @_;
    $self->{pending} = [];
    $self->storage->{depth}++;
    my $done = eval { $work->(); 1 };
    my $error = $@;
    $self->storage->{depth}--;
    die $error unless $done;
    open(my $file, '>>', 'written') or die $!;
    print {$file} map { "$_\n" } @{ $self->{pending} };
    close($file) or die $!;
}

sub write { my ($self, $line) = @_; push @{ $self->{pending} }, $line }

package Stub::Storage;

sub connected { return !-e 'database-is-away' }

sub ensure_connected {
    my ($self) = @_;
    die "DBI connect('dbname=hydra;password=hunter2','',...) failed: it is away\n"
        unless $self->connected;
}

sub transaction_depth { return $_[0]{depth} }

sub txn_begin { $_[0]{depth}++ }

sub disconnect { $_[0]{depth} = 0 }

package Stub::ResultSet;

sub find {
    my ($self, $key) = @_;
    my ($id) = ref $key ? values %$key : $key;
    return undef if $id >= 2_000_000_000;
    $Stub::Row::alive++;
    return bless { %$self, id => $id, key => $key }, 'Stub::Row';
}

package Stub::Row;

our $alive = 0;

sub DESTROY { $alive-- }

sub id { return $_[0]{id} }

sub buildsteps {
    my ($self) = @_;
    return bless { source => "step of build $self->{id}" }, 'Stub::ResultSet';
}

# How a test sees it: what it is a row of, and what it was looked up by.
sub described {
    my ($self) = @_;
    my ($name) = ref $self->{key} ? keys %{ $self->{key} } : 'the key';
    return "$self->{source}: $name $self->{id}";
}

1;
