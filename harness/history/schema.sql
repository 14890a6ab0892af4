-- Columns are what is asked by; what else there is to show is in JSON.
-- Times are nanoseconds since the Unix epoch.

CREATE TABLE run (
	id      INTEGER PRIMARY KEY, -- when it began, or the next one free: runs in the order of time
	name    TEXT NOT NULL UNIQUE,
	stamp   TEXT NOT NULL, -- of run.json when it was read
	rig     TEXT NOT NULL,
	kind    TEXT NOT NULL,
	status  TEXT NOT NULL,
	harness TEXT NOT NULL,
	started INTEGER NOT NULL,
	entry   TEXT NOT NULL -- a Run
) STRICT;

CREATE TABLE unreadable (
	name   TEXT PRIMARY KEY,
	stamp  TEXT NOT NULL,
	reason TEXT NOT NULL
) STRICT;

CREATE TABLE board (
	run    INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	name   TEXT NOT NULL,
	health TEXT NOT NULL, -- a Board, in that run alone
	PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE experiment (
	run      INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	suite    TEXT NOT NULL,
	name     TEXT NOT NULL,
	board    TEXT NOT NULL,
	repeat   INTEGER NOT NULL,
	outcome  TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	PRIMARY KEY (run, suite, name, board, repeat)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE image (
	id     INTEGER PRIMARY KEY,
	digest TEXT NOT NULL UNIQUE
) STRICT;

-- One row to a measurement of a run that is in series: neither replay nor trial.
CREATE TABLE value (
	figure  INTEGER NOT NULL REFERENCES figure,
	run     INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	repeat  INTEGER NOT NULL,
	image   INTEGER NOT NULL REFERENCES image,
	n       INTEGER NOT NULL,
	min     INTEGER NOT NULL,
	p50     INTEGER NOT NULL, -- each with the interval that holds the true one
	p50_lo  INTEGER NOT NULL,
	p50_hi  INTEGER NOT NULL,
	p95     INTEGER NOT NULL,
	p95_lo  INTEGER NOT NULL,
	p95_hi  INTEGER NOT NULL,
	p99     INTEGER NOT NULL,
	p99_lo  INTEGER NOT NULL,
	p99_hi  INTEGER NOT NULL,
	max     INTEGER NOT NULL,
	outcome TEXT NOT NULL, -- the worst of the limits', '' without any
	change  TEXT NOT NULL, -- the verdict against the baseline, '' without one
	doubt   TEXT NOT NULL, -- why nothing may rest on it
	PRIMARY KEY (figure, run, repeat)
) STRICT, WITHOUT ROWID;
CREATE INDEX value_run ON value (run);
CREATE INDEX value_figure ON value (figure, run) WHERE repeat = 0;
