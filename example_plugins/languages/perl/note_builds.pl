#!/usr/bin/env perl
# A plugin in Perl, with nothing but what Perl brings along: logs each finished build
# and keeps a list of what it handled.
use strict;
use warnings;
use IO::Handle;
use JSON::PP;

# From here on the wire is $wire, and what is printed is log.
open(my $wire, '>&', \*STDOUT) or die "the wire: $!";
open(STDOUT, '>&', \*STDERR) or die "the log: $!";
binmode(STDOUT, ':utf8');
$_->autoflush(1) for $wire, \*STDOUT;
my $json = JSON::PP->new->utf8;
my ($failures_only, $token);    # Its setting and its secret. Never print a secret.

# Your code goes here. Returns the answer; an error is to die.
sub handle {
    my ($event, $redelivered) = @_;
    my $data = $event->{data};
    return { status => 'skipped', note => 'it succeeded' }
        if $failures_only && $data->{buildStatus} == 0;
    my $line = "$event->{id}\t@{[$data->{build}, @{$data->{dependentIds} // []}]}\n";
    open(my $received, '+>>:utf8', 'received.log') or die "received.log: $!\n";
    seek($received, 0, 0);
    return {} if $redelivered && grep { $_ eq $line } <$received>;
    print $received $line;
    close($received) or die "received.log: $!\n";
    print "build ended with status $data->{buildStatus}: $data->{url}\n";
    return {};
}

sub start {
    my ($params) = @_;
    fail(426, 'this plugin speaks version 1', supported => [1])
        unless grep { $_ eq '1' } @{ $params->{protocol_versions} };
    my ($only, $path) = ($params->{config}{failures_only}, 'settings.failures_only');
    fail(422, "$path: is not true or false", errors => [{ path => $path }])
        unless !defined $only || JSON::PP::is_bool($only);
    ($failures_only, $token) = ($only, $params->{secrets}{token});
    print 'ready; token: ', (defined $token ? 'given' : 'none'), "\n";
    return { protocol_version => 1, name => 'note_builds', version => '1.0',
        events => ['build_finished'] };
}

sub fail {
    my ($code, $message, %data) = @_;
    die { code => $code, message => $message, data => \%data };
}

my %methods = (initialize => \&start, shutdown => sub { {} },
    event => sub { handle($_[0]{event}, $_[0]{delivery}{redelivered}) });

while (my $line = <STDIN>) {
    next unless $line =~ /\S/;
    my ($id, $frame, $result);
    my $done = eval {
        eval { $frame = $json->decode($line); 1 } or fail(-32700, 'this is no JSON');
        ref $frame eq 'HASH' or fail(-32600, 'this is no frame');
        $id = $frame->{id};
        my $method = $methods{ $frame->{method} } or fail(-32601, 'no such method');
        $result = $method->($frame->{params});
    };
    next if ref $frame eq 'HASH' && !defined $id;    # A notification.
    my $error = ref $@ ? $@ : { code => 500, message => "$@" };
    my %answer = $done ? (result => $result) : (error => $error);
    print $wire $json->encode({ jsonrpc => '2.0', id => $id, %answer }), "\n";
}
