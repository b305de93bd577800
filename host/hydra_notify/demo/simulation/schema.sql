-- Hydra's tables at schema version 85, as far as a listener reads or a queue runner
-- writes them. Names, types, keys and checks are those of a real Hydra; what only its
-- web interface or its evaluator uses is left out. Versions after 85: see schema.py.
-- Times are seconds since 1970, `finished` and the like are 0 or 1.

create table schemaversion (version integer not null);

-- People, projects, jobsets ---------------------------------------------------------

create table users (
    username        text not null primary key,
    fullname        text,
    emailaddress    text not null,
    password        text not null,
    emailonerror    integer not null default 0,
    type            text not null default 'hydra',
    publicdashboard boolean not null default false
);

create table projects (
    name        text not null primary key,
    displayname text not null,
    description text,
    enabled     integer not null default 1,
    hidden      integer not null default 0,
    owner       text not null references users (username) on update cascade,
    homepage    text,
    -- Where a declarative project's jobsets are described.
    declfile    text,
    decltype    text,
    declvalue   text,
    enable_dynamic_run_command boolean not null default false
);

create table jobsets (
    project          text not null
        references projects (name) on update cascade on delete cascade,
    name             text not null,
    id               serial not null unique,
    description      text,
    type             integer not null default 0,  -- 0 classic, 1 flake
    nixexprinput     text,
    nixexprpath      text,
    flake            text,
    enabled          integer not null default 1,  -- 2 one-shot, 3 one at a time
    hidden           integer not null default 0,
    enableemail      integer not null default 1,
    emailoverride    text not null,
    keepnr           integer not null default 3,
    checkinterval    integer not null default 300,
    schedulingshares integer not null default 100,
    forceeval        boolean,
    starttime        integer,
    triggertime      integer,
    lastcheckedtime  integer,
    errormsg         text,
    errortime        integer,
    fetcherrormsg    text,
    enable_dynamic_run_command boolean not null default false,
    primary key (project, name),
    check (schedulingshares > 0),
    check (type in (0, 1)),
    check ((type = 0)
        = (nixexprinput is not null and nixexprpath is not null and flake is null)),
    check ((type = 1)
        = (nixexprinput is null and nixexprpath is null and flake is not null))
);

create table jobsetinputs (
    project          text not null,
    jobset           text not null,
    name             text not null,
    type             text not null,
    emailresponsible integer not null default 0,
    primary key (project, jobset, name),
    foreign key (project, jobset)
        references jobsets (project, name) on update cascade on delete cascade
);

create table jobsetinputalts (
    project  text not null,
    jobset   text not null,
    input    text not null,
    altnr    integer not null,
    value    text,
    revision text,
    primary key (project, jobset, input, altnr),
    foreign key (project, jobset, input)
        references jobsetinputs (project, jobset, name)
        on update cascade on delete cascade
);

create index on jobsetinputalts (project, jobset);

-- Builds ----------------------------------------------------------------------------

create table builds (
    id             serial not null primary key,
    finished       integer not null,
    timestamp      integer not null,  -- when it was queued
    jobset_id      integer not null references jobsets (id) on delete cascade,
    job            text not null,
    nixname        text,
    description    text,
    drvpath        text not null,
    system         text not null,
    license        text,
    homepage       text,
    maintainers    text,              -- addresses with commas between them
    maxsilent      integer default 3600,
    timeout        integer default 36000,
    ischannel      integer not null default 0,
    iscurrent      integer default 0,
    priority       integer not null default 0,
    globalpriority integer not null default 0,
    starttime      integer,
    stoptime       integer,
    iscachedbuild  integer,
    buildstatus    integer,           -- null until it has finished
    size           bigint,
    closuresize    bigint,
    releasename    text,
    keep           integer not null default 0,
    -- Set to the stop time by the queue runner, to null by whoever told everybody.
    notificationpendingsince integer,
    check (finished = 0 or (starttime is not null and starttime <> 0)),
    check (finished = 0 or (stoptime is not null and stoptime <> 0))
);

create index indexbuildsonnotificationpendingsince on builds (notificationpendingsince)
    where notificationpendingsince is not null;
create index on builds (jobset_id, job, finished, id desc);
create index on builds (jobset_id, job, finished, buildstatus, id desc)
    where buildstatus = 0 and finished = 1;
create index on builds (jobset_id) where iscurrent = 1;
create index on builds (jobset_id) where iscurrent = 1 and finished = 0;
create index on builds (jobset_id, buildstatus) where iscurrent = 1 and finished = 1;
create index on builds (iscurrent) where iscurrent = 1;
create index on builds (finished) where finished = 0;
create index on builds (finished, stoptime desc);
create index on builds (timestamp);
create index on builds (drvpath);
create index on builds (keep) where keep = 1;

create table buildoutputs (
    build integer not null references builds (id) on delete cascade,
    name  text not null,
    path  text,                       -- null: known only once it has been built
    primary key (build, name)
);

create index on buildoutputs using hash (path);

create table buildproducts (
    build       integer not null references builds (id) on delete cascade,
    productnr   integer not null,
    type        text not null,
    subtype     text not null,
    name        text not null,
    path        text,
    defaultpath text,
    filesize    bigint,
    sha256hash  text,
    primary key (build, productnr)
);

create index on buildproducts (build, type);

create table buildmetrics (
    build     integer not null references builds (id) on delete cascade,
    name      text not null,
    unit      text,
    value     double precision not null,
    project   text not null references projects (name) on update cascade,
    jobset    text not null,
    job       text not null,
    timestamp integer not null,
    primary key (build, name),
    foreign key (project, jobset) references jobsets (project, name) on update cascade
);

create index on buildmetrics (project, jobset, job, timestamp desc);

create table buildsteps (
    build          integer not null references builds (id) on delete cascade,
    stepnr         integer not null,
    type           integer not null,  -- 0 built, 1 substituted
    drvpath        text,
    busy           integer not null,  -- 0 idle, else how far it has got
    status         integer,
    errormsg       text,
    starttime      integer,
    stoptime       integer,
    machine        text not null default '',
    system         text,
    propagatedfrom integer references builds (id) on delete cascade,
    overhead       integer,           -- milliseconds
    timesbuilt     integer,
    isnondeterministic boolean,
    primary key (build, stepnr)
);

create index on buildsteps (busy) where busy <> 0;
create index on buildsteps (drvpath);
create index on buildsteps (propagatedfrom) where propagatedfrom is not null;
create index on buildsteps (stoptime desc)
    where starttime is not null and stoptime is not null;

create table buildstepoutputs (
    build  integer not null references builds (id) on delete cascade,
    stepnr integer not null,
    name   text not null,
    path   text,
    primary key (build, stepnr, name),
    foreign key (build, stepnr)
        references buildsteps (build, stepnr) on delete cascade
);

create index on buildstepoutputs (path);

create table buildinputs (
    id               serial not null primary key,
    build            integer references builds (id) on delete cascade,
    name             text not null,
    type             text not null,
    uri              text,
    revision         text,
    value            text,
    emailresponsible integer not null default 0,
    dependency       integer references builds (id),
    path             text,
    sha256hash       text
);

create index on buildinputs (build);
create index on buildinputs (dependency);

create table aggregateconstituents (
    aggregate   integer not null references builds (id) on delete cascade,
    constituent integer not null references builds (id) on delete cascade,
    primary key (aggregate, constituent)
);

-- Evaluations -----------------------------------------------------------------------

create table evaluationerrors (
    id        serial not null primary key,
    errormsg  text,
    errortime integer
);

create table jobsetevals (
    id                 serial not null primary key,
    jobset_id          integer not null references jobsets (id) on delete cascade,
    evaluationerror_id integer references evaluationerrors (id) on delete set null,
    timestamp          integer not null,
    checkouttime       integer not null,  -- seconds it took
    evaltime           integer not null,  -- seconds it took
    hasnewbuilds       integer not null,  -- 0: it has neither members nor inputs
    hash               text not null,
    nrbuilds           integer,
    nrsucceeded        integer,
    flake              text,
    nixexprinput       text,
    nixexprpath        text
);

create index on jobsetevals (jobset_id, id desc) where hasnewbuilds = 1;
create index on jobsetevals (jobset_id) where hasnewbuilds = 1;

create table jobsetevalinputs (
    eval           integer not null references jobsetevals (id) on delete cascade,
    name           text not null,
    altnr          integer not null,
    type           text not null,
    uri            text,
    revision       text,
    shortrevlength smallint,
    value          text,
    dependency     integer references builds (id),
    path           text,
    sha256hash     text,
    primary key (eval, name, altnr)
);

create table jobsetevalmembers (
    eval  integer not null references jobsetevals (id) on delete cascade,
    build integer not null references builds (id) on delete cascade,
    isnew integer not null,
    primary key (eval, build)
);

create index on jobsetevalmembers (build);
create index on jobsetevalmembers (eval);

-- Kept by the listener that Hydra ships ---------------------------------------------

create table taskretries (
    id         serial not null primary key,
    channel    text not null,
    pluginname text not null,
    payload    text not null,
    attempts   integer not null,
    retry_at   integer not null
);

create index on taskretries (retry_at);

create table runcommandlogs (
    id           serial not null primary key,
    uuid         uuid not null unique,
    job_matcher  text not null,
    build_id     integer not null references builds (id) on delete cascade,
    command      text not null,
    start_time   integer,
    end_time     integer,
    error_number integer,
    exit_code    integer,
    signal       integer,
    core_dumped  boolean,
    check (start_time is not null or num_nonnulls(
        end_time, error_number, exit_code, signal, core_dumped) = 0)
);

create index on runcommandlogs (build_id);
