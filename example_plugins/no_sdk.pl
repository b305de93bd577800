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
$_->autoflush(1) for $wire, \*STDOUT;
my $json = JSON::PP->new->utf8;

sub reply {
    my ($id, %answer) = @_;
    print $wire $json->encode({ jsonrpc => '2.0', id => $id, %answer }), "\n";
}

sub handle {
    my ($event) = @_;
    my $data = $event->{data};
    open(my $received, '>>', 'received.log') or die "received.log: $!\n";
    print $received "$event->{id}\t@{[$data->{build}, @{$data->{dependentIds} // []}]}\n";
    close($received) or die "received.log: $!\n";
    print "build ended with status $data->{buildStatus}: $data->{url}\n";
}

while (my $line = <STDIN>) {
    my $frame = eval { $json->decode($line) };
    if (!$frame) { reply(undef, error => { code => -32700, message => 'no JSON' }); next }
    my ($id, $method) = ($frame->{id}, $frame->{method});
    next unless defined $id;    # A notification: nothing here is worth stopping for.
    if ($method eq 'initialize') {
        reply($id, result => { protocol_version => 1, name => 'no-sdk-pl',
            version => '1.0', events => ['build_finished'] });
    } elsif ($method eq 'event') {
        if (eval { handle($frame->{params}{event}); 1 }) { reply($id, result => {}) }
        else { reply($id, error => { code => 500, message => "$@" }) }
    } elsif ($method eq 'shutdown') {
        reply($id, result => {});
    } else {
        reply($id, error => { code => -32601, message => 'no such method' });
    }
}
