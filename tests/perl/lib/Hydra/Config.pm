# Stands in for Hydra's: lines of a key and a value.
package Hydra::Config;
use strict;
use warnings;

sub getHydraConfig {
    my $path = $ENV{HYDRA_CONFIG} // "$ENV{HYDRA_DATA}/hydra.conf";
    open(my $file, '<', $path) or return {};
    my %config;
    while (my $line = <$file>) {
        $line =~ /^(\w+) (.+)$/ or die "line $.: is no key and value\n";
        $config{$1} = $2;
    }
    return \%config;
}

1;
