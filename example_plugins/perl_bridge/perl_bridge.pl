#!/usr/bin/env perl
# Runs one plugin of Hydra's own, unmodified: docs/plugins/bridge.md says how.
#
#   [plugins.declarative_jobsets.settings]
#   class = "DeclarativeJobsets"            # or "Hydra::Plugin::DeclarativeJobsets"
#   hydra_config = "/var/lib/hydra/hydra.conf"    # missing: $HYDRA_DATA/hydra.conf
#   lib = ["/etc/hydra/perl"]               # where to look for modules before PERL5LIB
#
# Hydra's database is found as Hydra finds it, by HYDRA_DATABASE_URL or HYDRA_DBI: in
# the plugin's environment, or as its secret `database_url` or `dbi`.
use strict;
use warnings;

# From here on the wire is $requests and $wire: plugins print, what they start reads.
my ($requests, $wire);
BEGIN {
    die "perl_bridge is a plugin of hydra-notify, which starts it: see "
        . "docs/plugins/bridge.md\n" if !$ENV{HYDRA_NOTIFY_PLUGIN} && -t STDIN;
    open($requests, '<&', \*STDIN) or die "the wire: $!\n";
    open($wire, '>&', \*STDOUT) or die "the wire: $!\n";
    open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
    open(STDOUT, '>&', \*STDERR) or die "the log: $!\n";
    binmode($_) for $requests, $wire;
    # As Hydra's own service does.
    binmode(STDERR, ':encoding(utf8)');
    $_->autoflush(1) for $wire, \*STDOUT, \*STDERR;
    umask 0022;
}

use FindBin;
use JSON::PP;
use POSIX ();
require "$FindBin::RealBin/$_" for qw(hooks.pm others.pm);

my $TIMEOUT_MS = 900_000;        # Hydra has none; this is the longest that can be had.
my $READ_BYTES = 65_536;         # A pipe holds no more.
my $MESSAGE_CHARACTERS = 4_096;  # Of an error: a line of log, not a dump.

# What Hydra's service loads, and its plugins rely upon. The optional come and go.
my @NEEDED = qw(Hydra::Model::DB Hydra::Config Hydra::Plugin Hydra::Helper::Nix);
my @OPTIONAL = qw(Hydra::Event Hydra::Helper::AddBuilds);

my $FAILURE = 'PerlBridge::Failure';
my $json = JSON::PP->new->utf8;
my $process = $$;
my ($class, $plugin, $db);
my $request;    # The id of the one that is being worked on.
my $hook;       # The one that is running.

$SIG{__WARN__} = sub {
    my $text = join '', @_;
    $text =~ s/^(?=.)/<4>/gm;
    print STDERR $text;
};

# A plugin may call exit, with a status that would tell the host not to start it again.
END {
    if (defined $hook && $$ == $process) {
        print STDERR "<3>$class called exit($?) in $hook\n";
        $? = 1;
    }
}

sub fail {
    my ($code, $message, %data) = @_;
    die bless { code => $code, message => $message, data => \%data }, $FAILURE;
}

# One line; without passwords, which a database's errors repeat.
sub in_a_line {
    my ($text) = @_;
    $text = "$text";
    utf8::decode($text);
    $text =~ s/(password\s*=\s*)('[^']*'|[^\s;'")&]*)/$1***/gi;
    $text =~ s{(://[^\s:/@]*:)[^\s/@]*@}{$1***@}g;
    $text =~ s/\s+/ /g;
    $text =~ s/^ | $//g;
    return substr $text, 0, $MESSAGE_CHARACTERS;
}

# The start.

sub settings {
    my ($params) = @_;
    my %config = %{ $params->{config} // {} };
    my @errors;
    my $wrong = sub { push @errors, { path => "settings.$_[0]", message => $_[1] } };
    my ($name, $file, $lib) = delete @config{qw(class hydra_config lib)};
    $wrong->($_, 'is unknown; there are class, hydra_config and lib')
        for sort keys %config;
    $wrong->('class', 'is not the name of a class, such as "SlackNotification"')
        unless defined $name && !ref $name && $name =~ /^[A-Za-z_]\w*(::\w+)*\z/;
    $wrong->('hydra_config', 'is not the path of a file that can be read here')
        if defined $file && (ref $file || !-f $file || !-r _);
    my @lib = ref $lib eq 'ARRAY' ? @$lib : defined $lib ? $lib : ();
    $wrong->('lib', 'is not a directory that can be read, or a list of them')
        if grep { !defined || ref || !-d || !-r _ } @lib;
    fail(422, join('; ', map { "$_->{path}: $_->{message}" } @errors),
        errors => \@errors, help => 'correct it in [plugins.NAME.settings]') if @errors;
    return ($name =~ /^Hydra::/ ? $name : "Hydra::Plugin::$name", $file, @lib);
}

sub load {
    my ($module, $optional) = @_;
    send_frame({ jsonrpc => '2.0', method => 'progress',
        params => { id => $request, message => "loading $module" } });
    my $file = ($module =~ s{::}{/}gr) . '.pm';
    return if eval { require $file; 1 };
    my $error = $@;
    my ($missing) = $error =~ /^Can't locate (\S+) in \@INC/;
    return if $optional && ($missing // '') eq $file;
    fail(422, "$module: there is no $missing in Perl's search path", help => 'set '
        . 'PERL5LIB in [plugins.NAME.environment] to that of Hydra, and settings.lib '
        . 'to where modules of your own are') if defined $missing;
    fail(500, "$module cannot be loaded: " . in_a_line($error));
}

sub connect_to_database {
    eval { $db->storage->ensure_connected; 1 }
        or fail(503, "Hydra's database: " . in_a_line($@));
    return;
}

sub initialize {
    my ($params) = @_;
    fail(-32600, 'it is initialized') if $plugin;
    fail(426, 'this plugin speaks version 1', supported => [1])
        unless grep { $_ eq '1' } @{ $params->{protocol_versions} // [] };
    ($class, my ($file, @lib)) = settings($params);
    unshift @INC, @lib;
    $ENV{HYDRA_CONFIG} = $file if defined $file;
    $ENV{HYDRA_DATA} //= $params->{host}{hydra_data} if $params->{host}{hydra_data};
    my %secrets = %{ $params->{secrets} // {} };
    my %address;
    @address{qw(HYDRA_DBI HYDRA_DATABASE_URL)} = @secrets{qw(dbi database_url)};
    my @given = grep { defined $address{$_} } keys %address;
    @ENV{@given} = @address{@given};
    load($_) for @NEEDED;
    $db = Hydra::Model::DB->new;
    # It has been read. The commands that a plugin runs need not know it.
    delete @ENV{@given};
    load($_, 1) for @OPTIONAL;
    load($class);
    my $config = eval { Hydra::Config::getHydraConfig() }
        // fail(422, "Hydra's configuration: " . in_a_line($@));
    connect_to_database();
    tie my @others, 'PerlBridge::Others', db => $db, config => $config;
    my ($made, $enabled);
    eval {
        $made = $class->new(db => $db, config => $config, plugins => \@others);
        $enabled = $made->isEnabled;
        1;
    } or fail(422, "$class: " . in_a_line($@), help => "correct Hydra's configuration");
    fail(422, "$class is not enabled", help => "Hydra's configuration has nothing that "
        . 'enables it: see settings.hydra_config, or leave this plugin out')
        unless $enabled;
    my @channels = PerlBridge::Hooks::channels($made);
    fail(422, "$class has none of the hooks that are called here",
        help => 'leave this plugin out') unless @channels;
    $plugin = $made;
    return { protocol_version => 1, name => 'perl_bridge', version => '1.0',
        events => \@channels, timeout_ms => $TIMEOUT_MS };
}

# An event.

sub event {
    my ($params) = @_;
    fail(-32600, 'it is not initialized') unless $plugin;
    my $name = PerlBridge::Hooks::hook($params->{name});
    return { status => 'skipped', note => "$class has no hook for it" }
        unless defined $name && $plugin->can($name);
    connect_to_database();
    my $done = eval {
        my $data = $params->{event}{data};
        my @arguments = PerlBridge::Hooks::arguments($params->{name}, $db, $data);
        $hook = $name;
        $plugin->$name(@arguments);
        1;
    };
    my $error = $@;
    # A child that a plugin has forked and not ended: the wire is its parent's.
    POSIX::_exit(1) if $$ != $process;
    undef $hook;
    my $open = end_transaction();
    return {} if $done && !$open;
    fail(500, "$class left a transaction open in $name: it was rolled back") if $done;
    die $error if ref $error eq $FAILURE;
    my $lost = !eval { $db->storage->connected };
    fail($lost ? 503 : 500, "$class: $name: " . in_a_line($error));
}

# What a plugin has begun and not ended must not swallow what the next event writes.
sub end_transaction {
    my $storage = $db->storage;
    return 0 unless $storage->can('transaction_depth') && $storage->transaction_depth;
    eval { $storage->disconnect };
    return 1;
}

sub send_frame {
    my ($frame) = @_;
    local ($,, $\);
    print {$wire} $json->encode($frame), "\n" or die "the wire: $!\n";
    return;
}

my %methods = (initialize => \&initialize, event => \&event, shutdown => sub { {} });

# Not with <>: Perl would add the line to what plugins die of, and they can change $/.
my $unread = '';

sub next_line {
    my $end;
    while (($end = index $unread, "\n") < 0) {
        my $got = sysread $requests, $unread, $READ_BYTES, length $unread;
        next if !defined $got && $!{EINTR};
        last unless $got;
    }
    my $length = $end < 0 ? length $unread : $end + 1;
    return $length ? substr($unread, 0, $length, '') : undef;
}

while (defined(my $line = next_line())) {
    next unless $line =~ /\S/;
    my ($frame, $result);
    undef $request;
    my $done = eval {
        eval { $frame = $json->decode($line); 1 } or fail(-32700, 'this is no JSON');
        ref $frame eq 'HASH' or fail(-32600, 'this is no frame');
        $request = $frame->{id};
        my $method = $methods{ $frame->{method} // '' }
            or fail(-32601, 'no such method');
        $result = $method->($frame->{params} // {});
        1;
    };
    my $error = $@;
    next if ref $frame eq 'HASH' && !defined $request;    # A notification.
    my %error = ref $error eq $FAILURE
        ? %$error : (code => 500, message => in_a_line($error));
    my %answer = $done ? (result => $result) : (error => \%error);
    send_frame({ jsonrpc => '2.0', id => $request, %answer });
}
