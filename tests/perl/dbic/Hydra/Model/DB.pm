# Stands in for Hydra's, with as much of its schema as Declares needs.
package Hydra::Model::DB;
use strict;
use warnings;
use parent 'DBIx::Class::Schema';

sub has {
    my ($source, $columns, $key, %relations) = @_;
    my $class = "Hydra::Schema::Result::$source";
    no strict 'refs';
    @{"${class}::ISA"} = ('DBIx::Class::Core');
    $class->table(lc $source);
    $class->add_columns(@$columns);
    $class->set_primary_key(@$key);
    while (my ($name, $relation) = each %relations) {
        my ($kind, $other, $on) = @$relation;
        $class->$kind($name => "Hydra::Schema::Result::$other", $on);
    }
    return $class;
}

BEGIN { require DBIx::Class::Core }

my @OF_JOBSET = qw(project jobset);
my %classes = (
    Projects => has('Projects', [qw(name declfile)], ['name'],
        jobsets => [has_many => 'Jobsets', { 'foreign.project' => 'self.name' }]),
    Jobsets => has('Jobsets', [qw(id project name description nixexprinput nixexprpath
        flake type enabled hidden emailoverride)], [qw(project name)],
        project => [belongs_to => 'Projects', { 'foreign.name' => 'self.project' }],
        jobsetinputs => [has_many => 'JobsetInputs',
            { 'foreign.project' => 'self.project', 'foreign.jobset' => 'self.name' }]),
    JobsetInputs => has('JobsetInputs', [@OF_JOBSET, qw(name type)],
        [@OF_JOBSET, 'name']),
    Builds => has('Builds', [qw(id jobset_id iscurrent buildstatus)], ['id'],
        jobset => [belongs_to => 'Jobsets', { 'foreign.id' => 'self.jobset_id' }],
        buildoutputs =>
            [has_many => 'BuildOutputs', { 'foreign.build' => 'self.id' }]),
    BuildOutputs => has('BuildOutputs', [qw(build name path)], [qw(build name)]),
);
__PACKAGE__->register_class($_ => $classes{$_}) for sort keys %classes;

sub new { return Hydra::Model::DB->connect($ENV{HYDRA_DBI}, '', '') }

1;
