# Has every hook, and notes what each is given.
package Hydra::Plugin::Records;
use strict;
use warnings;
use parent 'Hydra::Plugin';
use JSON::PP;

my $json = JSON::PP->new->utf8;

sub described {
    my ($value) = @_;
    return [map { described($_) } @$value] if ref $value eq 'ARRAY';
    return ref $value ? $value->described : $value;
}

for my $hook (qw(buildQueued buildStarted buildFinished cachedBuildQueued
    cachedBuildFinished stepFinished evalStarted evalCached evalAdded evalFailed)) {
    no strict 'refs';
    *$hook = sub {
        my (undef, @given) = @_;
        open(my $file, '>>', 'received.log') or die $!;
        print {$file} $json->encode([$hook, map { described($_) } @given]), "\n";
        close($file) or die $!;
    };
}

1;
