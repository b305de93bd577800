# Speaks with the plugin as the host does, and looks at what it has done.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Open2;
use JSON::PP;
use Test::More;

my $plugin = abs_path(dirname(__FILE__) . '/../note_builds.pl');
chdir tempdir(CLEANUP => 1) or die $!;

# What it answers when it is given settings and then an event of a build.
sub answers {
    my ($settings, $build, $status) = @_;
    my $data = { build => $build, buildStatus => $status, url => "https://hydra.test/$build" };
    my @frames = (
        { id => 'i', method => 'initialize',
            params => { protocol_versions => [1], config => $settings } },
        { id => 'e', method => 'event', params => {
            delivery => { redelivered => JSON::PP::false },
            event => { id => "e:$build", data => $data } } });
    my $pid = open2(my $out, my $in, $plugin);
    print $in encode_json($_), "\n" for @frames;
    close $in;
    my @answers = map { decode_json($_) } <$out>;
    waitpid $pid, 0;
    is $?, 0, 'it ends when its stdin does';
    return @answers;
}

my (undef, $noted) = answers({}, 7, 1);
is_deeply $noted, { jsonrpc => '2.0', id => 'e', result => {} }, 'a build is noted';
open(my $received, '<', 'received.log') or die $!;
is join('', <$received>), "e:7\t7\n", 'in its list';

my (undef, $skipped) = answers({ failures_only => JSON::PP::true }, 8, 0);
is $skipped->{result}{status}, 'skipped', 'a success may be skipped';

my ($refused) = answers({ failures_only => 'yes' }, 9, 1);
is $refused->{error}{code}, 422, 'a wrong setting is refused';
is $refused->{error}{data}{errors}[0]{path}, 'settings.failures_only', 'and named';

done_testing;
