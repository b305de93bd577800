# Stands in for Hydra's: lines of a key and a value.
package Hydra::Config;
use strict;
use warnings;

sub getHydraConfig {
    open(my $file, '<', $ENV{HYDRA_CONFIG} // "$ENV{HYDRA_DATA}/hydra.conf") or return {};
    my %config;
    while (my $line = <$file>) {
        $line =~ /^(\w+) (.+)$/ or die "line $.: is no key and value\n";
        $config{$1} = $2;
    }
    return \%config;
}

1;
