"""Every number of the host, with its unit and its reason.

Durations are seconds, sizes bytes. The protocol's numbers, which authors of plugins
have to know, are in `hydra_notify_sdk.wire.limits`.
"""

from typing import Final

from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES

MAX_BUILD_ID: Final = 2**31 - 1
"""Hydra's ids are int4."""

# Postgres ------------------------------------------------------------------------

CONNECT_TIMEOUT: Final = 10
"""Whole seconds (libpq) for one connection attempt."""

STATEMENT_TIMEOUT: Final = 10.0
"""For one statement, enforced by the server."""

STATEMENT_DEADLINE: Final = 15.0
"""For one batch of statements, enforced by us: a black-holed link answers nothing."""

LOCK_TIMEOUT: Final = 2.0
"""For a row or table lock: the queue runner's work comes first."""

RECONNECT_BASE: Final = 0.1
RECONNECT_CAP: Final = 1.5
"""Between attempts to reach Postgres, doubling: a restart takes half a second, and
after a long outage nobody should wait much longer than the server did."""

SELF_PING_INTERVAL: Final = 5.0
SELF_PING_DEADLINE: Final = 5.0
"""A NOTIFY to ourselves is the only proof that LISTEN still works; a dead link is found
in at most the sum. It also tells standbys that the active host lives, so it goes often;
each one takes the lock that all commits with a NOTIFY share, so not more often."""

STANDBY_RETRY: Final = 2.0
"""Between a standby's attempts to become the active host: the lock is free as soon as
the server has noticed that its holder's connection ended."""

ACTIVE_SILENCE: Final = 12.0
"""Without a ping of the active host after which a standby ends its connection: two
pings and some. With the attempts in between, a host that hangs is replaced in less than
20 s."""

POLL_INTERVAL: Final = 5.0
"""Between sweeps where LISTEN does not work: that builds finish is all that is seen
then, and nobody should wait long for that."""

RELISTEN_INTERVAL: Final = 60.0
"""Between attempts to LISTEN where it did not work: somebody has to mend it first."""

LISTEN_SLICE: Final = 2_000
"""Notifications handed on between two turns of the event loop, so that a burst does not
stall the plugins' pipes."""

# Events --------------------------------------------------------------------------

LOAD_BATCH: Final = 500
"""Events read together: a few statements each 500, in about 20 ms."""

LOAD_BUILDS: Final = 2_000
"""Builds read together, dependents counted: bounds the memory of a batch of events
that speak for hundreds of builds each."""

CLEAR_BATCH: Final = 500
"""Flags cleared by one statement; larger ones gain nothing and hold locks longer."""

CLEAR_PAUSE: Final = 0.002
CLEAR_LONGEST_PAUSE: Final = 0.025
"""After a statement that cleared flags: so long for each flag, at most so long in all.
Flags that come one by one are cleared at once; from 500 a second on the pauses grow to
their most, and a burst costs 40 commits a second."""

CLEAR_RETRY: Final = 1.0
"""Before a flag whose row was locked is tried again."""

CLEAR_DENIED: Final = 60.0
"""Before flags are tried again that could not be cleared for lack of a privilege: an
operator has to do something first."""

SWEEP_INTERVAL: Final = 30.0
"""Between sweeps for flags whose notification never came; such an event is delivered
on its second sighting."""

SWEEP_PAGE: Final = 1_000
"""Flags read by one statement of a sweep."""

READY_BYTES: Final = 4 * 1024 * 1024
"""Of encoded events held for one plugin; what waits beyond it is kept as ids and read
again when its turn comes."""

UNGREETED_EVENTS: Final = 10_000
"""Events other than `build_finished` kept for a plugin that has never said what it
wants; further ones are dropped and counted. (`build_finished` is always kept.)"""

EVALS_PER_BUILD: Final = 100
"""Evaluations read for one build: its first and the newest. A build that waits for days
in a busy jobset is in dozens; an old one that never changes is in thousands."""

ERROR_LENGTH: Final = 262_144
"""Characters read of an error text; a broken evaluation can write ten million."""

EVENT_ROOM: Final = MAX_FRAME_BYTES - 4_096
"""Bytes of an encoded event: what the frame around it needs is far below 4 KiB."""

SHORT_TEXT: Final = 1_000
"""Characters that a text keeps however little room there is."""

# The ledger ----------------------------------------------------------------------

LEDGER_TURN: Final = 0.4
"""Between two turns of the ledger. A change is written when it has been so for one of
them: 0.4 to 0.8 s old, so that with the time of writing a crash forgets at most a
second."""

LEDGER_BATCH: Final = 1_000
"""Events written by one transaction: a few statements, in about 50 ms."""

LEDGER_PAGE: Final = 1_000
"""Events read by one statement when a host starts."""

LEDGER_LOOK: Final = 30.0
"""Between looks for a ledger that is not there or cannot be used, for orders whose
notification was lost, and for what can be pruned."""

LEDGER_PRUNE: Final = 3600.0
"""Between two searches for what is too old."""

KEEP_DEAD: Final = 90 * 24 * 3600.0
"""For which the ledger keeps dead letters that hold no flag, and deliveries of plugins
that are no longer configured: somebody has looked by then, or never will."""

# Configuration -------------------------------------------------------------------

MAX_SECRET_BYTES: Final = 65_536
"""Longer than any key; a device or a log named by mistake is not read to its end."""

MAX_SETTINGS_DEPTH: Final = 32
"""Tables and arrays within each other; JSON readers of other languages stop at some
depth, and nobody has settings as deep as this."""

# Plugins -------------------------------------------------------------------------

RETRY_CAP_EXPONENT: Final = 10
"""Retries wait 2^n s, n at most this: 1,024 s, as in Hydra."""

GIVE_UP_AFTER: Final = 7 * 24 * 3600.0
"""After a delivery's first failure at which it is given up, unless the operator says
otherwise: a service that is down over a long weekend gets everything."""

RETRY_JITTER: Final = 0.1
"""Part of a retry's delay that chance moves it by, up or down: deliveries that failed
together do not return together."""

RESTART_BASE: Final = 1.0
RESTART_CAP: Final = 60.0
RESTART_JITTER: Final = 0.2
"""Before a crashed plugin is started again: doubling, +-20 %."""

RESTART_RESET: Final = 60.0
"""Of being ready after which a crash is the first again."""

FLAPPING_CRASHES: Final = 5
FLAPPING_PERIOD: Final = 60.0
"""More crashes than that in the period: the plugin is flapping, and is tried once each
RESTART_CAP until it stays up. It is never given up."""

FLAPPING_IN_A_ROW: Final = 7
"""As many crashes without ever being ready for RESTART_RESET are flapping, however
long each life was, as that of one that hangs when it starts: the delay is RESTART_CAP
by then anyway."""

SUSPECT_CRASHES: Final = 3
"""Crashes with the same event in flight after which it is sent alone; one more, and the
event is a dead letter: one poisonous event must not stop a plugin."""

PAUSE_DEFAULT: Final = 30.0
"""For a plugin that was told to slow down without being told for how long."""

BLOCK_PROBE_FIRST: Final = 60.0
BLOCK_PROBE_CAP: Final = 300.0
"""Between probes of a plugin whose credentials are refused, doubling: soon at first,
for an operator who mends it at once; then rarely, since services lock out whoever
insists."""

WRITE_STALL: Final = 30.0
"""For a write to a plugin that does not read: its pipe holds 64 KiB."""

DRAIN_GRACE: Final = 20.0
"""For answers to what is in flight when the host stops. With the stop ladder of the
protocol (5 + 5 + 5 s) it stays below systemd's 90 s."""

STOP_LIMIT: Final = DRAIN_GRACE + 20.0
"""For one plugin to be gone: the drain, the stop ladder, and some."""

CLEAR_ON_EXIT: Final = 5.0
"""For the last clears when the host stops."""

STDOUT_DRAIN: Final = 1.0
"""For output left in a dead plugin's pipes: an answer written before the crash counts,
but a grandchild may hold a pipe open for ever."""

LAUNCH_LIMIT: Final = 20.0
"""For the launcher to become the plugin, which takes ten milliseconds; more only where
the machine is starving or the program's file system hangs."""

KILL_GRACE: Final = 5.0
"""From SIGKILL to the end: only a process that the kernel holds takes that long."""

KILL_POLL: Final = 0.01
"""Between looks at processes that were sent SIGKILL and are not our children: nothing
tells of their end, and it takes milliseconds."""

READ_CHUNK: Final = 65_536
"""Bytes of one read: the size of a pipe."""

TAIL_LINES: Final = 50
"""Of stderr kept for the report of a crash."""

TAIL_IN_REASON: Final = 3
"""Of these, in the one line that says why a plugin ended."""

TRACE_BUFFER: Final = 4 * 1024 * 1024
"""Bytes held for one who looks at a plugin's frames and reads slowly: a few of the
largest, a second or two of ordinary ones at full speed."""

# HTTP ----------------------------------------------------------------------------

SOCKET_PATH_BYTES: Final = 107
"""Of a socket's path, on Linux; elsewhere a little less."""

SOCKET_RETRY: Final = 5.0
"""Between attempts to take the socket that another host has: the active one of two on
one machine may still be handing in."""

SOCKET_BACKLOG: Final = 16
"""Connections that wait to be accepted: people, and whatever collects figures."""

ACCEPT_RETRY: Final = 1.0
"""Before the next connection is accepted when there are no descriptors left."""

HTTP_CONNECTIONS: Final = 32
"""At once at one address; each can hold TRACE_BUFFER. Further ones are told to come
later."""

HTTP_REFUSED: Final = 16
"""Of these further ones at once; what comes then waits to be accepted, so that a flood
does not take the descriptors that plugins need."""

HTTP_STREAMS: Final = 16
"""Answers without an end at one address: who looks on leaves room for who only asks."""

HTTP_REQUEST_BYTES: Final = 16_384
"""Of a request's line and headers."""

HTTP_BODY_BYTES: Final = 16_384
"""Of what is sent along: a form with a few fields."""

HTTP_REQUEST_TIME: Final = 10.0
"""For all of a request to come."""

HTTP_IDLE: Final = 5.0
"""For the next request over a connection: a page's own files come at once."""

HTTP_LINGER: Final = 1.0
"""For a client to take a refusal, while what it still sends is thrown away: closed at
once, the connection could be reset before that was read."""

HTTP_KEEPALIVE: Final = 15.0
"""Between comments in a stream of events: proxies give up a silent one after a
minute, some after half of one."""

HTTP_TOKEN_TIME: Final = 5.0
"""For the token to be read from its file, which may be on a disk that hangs."""

HTTP_WRONG_TOKENS: Final = 5
"""A second; then none is looked at, right or wrong: people mistype, programs guess."""

HTTP_SESSIONS: Final = 64
"""Browsers that are signed in; one more, and the one that is so longest is not."""

HTTP_SESSION_TIME: Final = 12 * 3600.0
"""After signing in: a day's work."""

HTTP_WRITE_STALL: Final = 60.0
"""For a write to a client that does not read: a person may hold a terminal still."""

HTTP_CLOSE: Final = 1.0
"""For the last words to clients when the host stops."""

HTTP_ANSWER: Final = 10.0
"""For a command of ours to get the head of an answer: the host gives it at once."""

HTTP_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Of an answer that a command of ours reads as a whole: how the host is with hundreds
of plugins is far below."""

# The process ---------------------------------------------------------------------

GARBAGE_ALLOCATIONS: Final = 100_000
"""Containers made and not given back after which the garbage collector looks at the
young ones; Python's own number is 700, for which a batch of events is dozens of looks.
Some megabytes, and more than a burst has under way."""

# The service manager -------------------------------------------------------------

SERVICE_TURN: Final = 0.4
"""Between looks at whether there is something to tell: whoever waits for the start of
the service, as `systemctl start` does, waits no longer than needed."""

KEEPALIVE: Final = 10.0
"""Between signs of life, unless the watchdog wants them more often than that."""

START_EXTENSION: Final = 3 * KEEPALIVE
"""By which a start that gets on puts off being given up: a database may come late."""

STEP_STALL: Final = STOP_LIMIT + CLEAR_ON_EXIT + STATEMENT_DEADLINE + 30.0
"""Without a step of the listener after which it is stuck. The longest time between two
is that in which a host that starts over hands in what it has; and some."""

WORK_STALL: Final = 6 * (CONNECT_TIMEOUT + STATEMENT_DEADLINE) + CLEAR_DENIED
"""Without a batch of work, done or failed, after which work is stuck: six tasks take
turns on one connection, and one that was denied a statement waits besides."""

THREADS_STALL: Final = 90.0
"""Without a free worker thread after which no thread is to be hoped for: each has a
deadline of some seconds, but for what a kernel or a resolver holds for ever."""

LOOK_GAP: Final = 1.0
"""Of a standstill counted at one look: in a longer time without a look nothing ran."""

# What is shown -------------------------------------------------------------------

LATENCY_BOUNDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0),
)
"""Upper bounds of what is timed. From 0.005 to 10 they are those of Hydra's metrics;
below is what a plugin on this machine takes, above what a service takes to come back.
"""

CHRONICLE_ANSWERS: Final = 20_000
"""Answers remembered for the story of a build: 2,500 builds with eight plugins, some
megabytes. What came before is in the log."""

CHRONICLE_FAILURES: Final = 2_000
"""Failures remembered, which are longer."""

STATUS_LISTED: Final = 100
"""Of each kind of delivery, and of dead letters, that are listed one by one: as many as
anybody reads."""

LETTERS_AGE: Final = 2.0
"""Seconds that dead letters which were read may be old, however many people look."""

LOOK_LIMIT: Final = 3.0
"""For the database to answer whoever looks: a page without it says more than none."""

LIVE_STEP: Final = 1.0
"""Between looks for what an open page has to be told: people see no quicker."""

TREND_STEP: Final = 10.0
"""Seconds of each value of a plot."""

TREND_STEPS: Final = 60
"""Values of a plot: ten minutes."""

LATENCY_STEPS: Final = 30
"""Of these, what the shown latencies are of: five minutes."""

# The log -------------------------------------------------------------------------

LOG_BUFFER: Final = 4 * 1024 * 1024
"""Bytes of log kept for a reader that is slow or gone: minutes of an ordinary host."""

SHORTEST_SECRET: Final = 4
"""Characters of a value that is masked: every text is full of shorter ones, and with
all of those masked nobody could read it, but guess the secret."""

SECRET_MEMORY: Final = 3600.0
"""For which the log still hides a secret that was replaced or whose plugin is gone:
far longer than anything that knew it may go on."""

LOG_CLOSE: Final = 2.0
"""For what is kept to be written when the host ends."""

# The command line ----------------------------------------------------------------

WATCH_TURN: Final = 1.0
"""Between two pictures of `status --watch`: figures are to be read, not to flicker."""

WATCH_PATIENCE: Final = 3.0
"""For the host to answer `status --watch`: whoever looks on wants to see that it hangs.
"""

READY_LIMIT: Final = 60.0
"""For a plugin to be ready after `plugin restart`: it may have deliveries to finish,
which take DRAIN_GRACE, and a while to start. `status` tells the rest."""

READY_POLL: Final = 0.2
"""Between looks at whether it is: nobody sees a difference below that."""

QUEUED_ONLY_STALL: Final = 30.0
"""Without any progress after which `--queued-only` stops waiting; Hydra's own tests
allow 60 s."""
