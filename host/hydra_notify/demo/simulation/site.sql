-- The people, projects and jobsets of the simulated Hydra: classic jobsets and flakes, a
-- declarative project, inputs that mail their committers, texts of all kinds.

insert into users (username, fullname, emailaddress, password, emailonerror) values
    ('ada', 'Ada Lovelace', 'ada@example.org', '!', 1),
    ('björk', 'Björk Guðmundsdóttir', 'björk@example.org', '!', 0),
    ('robot', null, 'robot@example.org', '!', 0);

insert into projects (name, displayname, description, owner, homepage) values
    ('nixpkgs', 'Nixpkgs', 'Nix Packages collection', 'ada', 'https://nixpkgs.example.org/'),
    ('nixos', 'NixOS', 'Die Distribution – “declarative” ❄', 'björk', null);
insert into projects (name, displayname, owner, declfile, decltype, declvalue,
                      enable_dynamic_run_command) values
    ('tools', 'Tools & <toys>', 'robot', 'spec.json', 'git',
     'https://git.example.org/tools/jobsets.git main', true);

insert into jobsets (project, name, description, nixexprinput, nixexprpath,
                     emailoverride, enableemail, checkinterval) values
    ('nixpkgs', 'trunk', 'Main development', 'nixpkgs', 'pkgs/top-level/release.nix',
     '', 1, 10800),
    ('nixpkgs', 'staging-next', null, 'nixpkgs', 'pkgs/top-level/release.nix',
     'staging@example.org', 0, 21600),
    ('tools', '.jobsets', '', 'src', '', '', 0, 60);
insert into jobsets (project, name, description, type, flake, emailoverride, enableemail,
                     enable_dynamic_run_command) values
    ('nixos', 'unstable-small', 'Few tests, often', 1,
     'github:NixOS/nixpkgs/nixos-unstable-small', '', 1, false),
    ('tools', 'main', null, 1, 'git+ssh://git@git.example.org/tools/main.git', '', 0, true);

insert into jobsetinputs (project, jobset, name, type, emailresponsible) values
    ('nixpkgs', 'trunk', 'nixpkgs', 'git', 1),
    ('nixpkgs', 'trunk', 'officialRelease', 'boolean', 0),
    ('nixpkgs', 'trunk', 'supportedSystems', 'nix', 0),
    ('nixpkgs', 'staging-next', 'nixpkgs', 'git', 0),
    ('tools', '.jobsets', 'src', 'git', 0);

insert into jobsetinputalts (project, jobset, input, altnr, value) values
    ('nixpkgs', 'trunk', 'nixpkgs', 0, 'https://github.com/NixOS/nixpkgs.git'),
    ('nixpkgs', 'trunk', 'officialRelease', 0, 'false'),
    ('nixpkgs', 'trunk', 'supportedSystems', 0, '[ "x86_64-linux" "aarch64-linux" ]'),
    ('nixpkgs', 'staging-next', 'nixpkgs', 0,
     'https://github.com/NixOS/nixpkgs.git staging-next'),
    ('tools', '.jobsets', 'src', 0, 'https://git.example.org/tools/jobsets.git main');

select setval('builds_id_seq', 317000000), setval('jobsetevals_id_seq', 1820000);
