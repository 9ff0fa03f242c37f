-- Boots of this machine: a process' start time is one of a boot.
CREATE TABLE boots (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE
);

-- Stretches of time in which a recorder ran. `until_ns` grows with every batch.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    boot INTEGER NOT NULL,
    from_ns INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    is_over INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    text BLOB NOT NULL
);

-- A process as events speak of it. Names are ids in `names`.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    tgid INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    ppid INTEGER,
    uid INTEGER,
    comm INTEGER,
    cgroup INTEGER,
    persona INTEGER,
    genome_id INTEGER
);

-- Names and subjects are begun anew now and then. Ids from these on belong to
-- events that were written when no event had an id above `after_event`; ids
-- below them to events up to that one.
CREATE TABLE generations (
    id INTEGER PRIMARY KEY,
    after_event INTEGER NOT NULL,
    name INTEGER NOT NULL,
    subject INTEGER NOT NULL
);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    moved INTEGER NOT NULL,
    boot_ns INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    subject INTEGER,
    -- 0 where it is the process' id, which takes no room.
    tid INTEGER,
    name INTEGER,
    payload BLOB NOT NULL
);

CREATE TABLE processes (
    start_time INTEGER NOT NULL,
    tgid INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    ppid INTEGER,
    uid INTEGER,
    persona TEXT,
    genome_id TEXT,
    comm BLOB,
    cgroup BLOB,
    exe BLOB,
    argv BLOB,
    started_ns INTEGER,
    ended_ns INTEGER,
    wait_status INTEGER,
    PRIMARY KEY (start_time, tgid, boot)
) WITHOUT ROWID;

CREATE INDEX processes_by_end ON processes (ended_ns);

CREATE TABLE crashes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    wall_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    persona TEXT,
    genome_id TEXT,
    record TEXT NOT NULL
);

CREATE INDEX crashes_by_time ON crashes (wall_ns);

CREATE TABLE gaps (
    id INTEGER PRIMARY KEY,
    from_ns INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    missing TEXT,
    note TEXT
);

CREATE INDEX gaps_by_end ON gaps (until_ns);

-- `tgid` and `start_time` are NULL where the persona as a whole is meant.
-- `seen_ns` is the time of a sample not more than an hour before its latest.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    metric TEXT NOT NULL,
    persona TEXT,
    genome_id TEXT,
    tgid INTEGER,
    start_time INTEGER,
    seen_ns INTEGER NOT NULL
);

CREATE INDEX series_by_source ON series (persona, tgid, start_time, metric);
CREATE INDEX series_by_seen ON series (seen_ns);

CREATE TABLE samples (
    at_ns INTEGER NOT NULL,
    series INTEGER NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (at_ns, series)
) WITHOUT ROWID;

CREATE TABLE samples_minute (
    at_ns INTEGER NOT NULL,
    series INTEGER NOT NULL,
    count INTEGER NOT NULL,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    last INTEGER NOT NULL,
    average REAL NOT NULL,
    PRIMARY KEY (at_ns, series)
) WITHOUT ROWID;

CREATE TABLE samples_hour (
    at_ns INTEGER NOT NULL,
    series INTEGER NOT NULL,
    count INTEGER NOT NULL,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    last INTEGER NOT NULL,
    average REAL NOT NULL,
    PRIMARY KEY (at_ns, series)
) WITHOUT ROWID;
