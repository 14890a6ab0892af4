-- Times are nanoseconds since the Unix epoch; 0 is none.

CREATE TABLE run (
	id             INTEGER PRIMARY KEY,
	name           TEXT NOT NULL UNIQUE,
	stamp          TEXT NOT NULL, -- of run.json when it was read
	rig            TEXT NOT NULL,
	kind           TEXT NOT NULL,
	status         TEXT NOT NULL,
	harness        TEXT NOT NULL,
	host           TEXT NOT NULL, -- JSON
	started        INTEGER NOT NULL,
	ended          INTEGER NOT NULL,
	written        INTEGER NOT NULL, -- when run.json was
	samples_digest TEXT NOT NULL,
	blocking       INTEGER NOT NULL,
	pass           INTEGER NOT NULL, -- verdicts
	fail           INTEGER NOT NULL,
	unset          INTEGER NOT NULL,
	unlimited      INTEGER NOT NULL,
	better         INTEGER NOT NULL, -- changes against the baseline
	worse          INTEGER NOT NULL,
	different      INTEGER NOT NULL,
	replay_of      TEXT NOT NULL, -- name of another bundle
	aside          INTEGER NOT NULL -- 1: a replay or a trial, in no series
) STRICT;
CREATE INDEX run_started ON run (started);

CREATE TABLE unreadable (
	name   TEXT PRIMARY KEY,
	stamp  TEXT NOT NULL,
	reason TEXT NOT NULL
) STRICT;

CREATE TABLE board (
	run     INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	name    TEXT NOT NULL,
	chip    TEXT NOT NULL,
	chip_id TEXT NOT NULL
) STRICT;
CREATE INDEX board_run ON board (run);

CREATE TABLE firmware (
	run           INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	program       TEXT NOT NULL,
	target        TEXT NOT NULL,
	digest        TEXT NOT NULL,
	source_digest TEXT NOT NULL,
	toolchain     TEXT NOT NULL
) STRICT;
CREATE INDEX firmware_run ON firmware (run);

CREATE TABLE experiment (
	id       INTEGER PRIMARY KEY,
	run      INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	suite    TEXT NOT NULL,
	name     TEXT NOT NULL,
	board    TEXT NOT NULL,
	firmware TEXT NOT NULL, -- digest
	outcome  TEXT NOT NULL,
	attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX experiment_run ON experiment (run);

CREATE TABLE attempt (
	experiment INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,
	started    INTEGER NOT NULL,
	took       INTEGER NOT NULL,
	flashed    INTEGER NOT NULL, -- 1: the board was flashed
	phase      TEXT NOT NULL, -- the last one
	class      TEXT NOT NULL, -- of the failure, if it was one
	message    TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_experiment ON attempt (experiment);

CREATE TABLE figure (
	id         INTEGER PRIMARY KEY,
	rig        TEXT NOT NULL,
	kind       TEXT NOT NULL,
	suite      TEXT NOT NULL,
	experiment TEXT NOT NULL,
	board      TEXT NOT NULL,
	quantity   TEXT NOT NULL,
	source     TEXT NOT NULL,
	core_hz    INTEGER NOT NULL,
	unit       TEXT NOT NULL,
	clock_hz   INTEGER NOT NULL,
	UNIQUE (rig, kind, suite, experiment, board, quantity, source, core_hz, unit, clock_hz)
) STRICT;

CREATE TABLE value (
	figure     INTEGER NOT NULL REFERENCES figure,
	run        INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	experiment INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,
	n          INTEGER NOT NULL,
	min        INTEGER NOT NULL,
	p50        INTEGER NOT NULL, -- each with the interval that holds the true one
	p50_lo     INTEGER NOT NULL,
	p50_hi     INTEGER NOT NULL,
	p95        INTEGER NOT NULL,
	p95_lo     INTEGER NOT NULL,
	p95_hi     INTEGER NOT NULL,
	p99        INTEGER NOT NULL,
	p99_lo     INTEGER NOT NULL,
	p99_hi     INTEGER NOT NULL,
	max        INTEGER NOT NULL,
	outcome    TEXT NOT NULL, -- the worst of the limits', '' without any
	change     TEXT NOT NULL, -- the verdict against the baseline, '' without one
	doubt      TEXT NOT NULL, -- why nothing may rest on it
	assumption TEXT NOT NULL,
	digest     TEXT NOT NULL
) STRICT;
CREATE INDEX value_figure ON value (figure, run);
CREATE INDEX value_run ON value (run);
CREATE INDEX value_experiment ON value (experiment);
