-- `record` is the whole alert as JSON; `ended_ns` is NULL as long as it goes on.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    raised_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    ended_ns INTEGER,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    persona TEXT,
    genome_id TEXT,
    record TEXT NOT NULL
);

CREATE INDEX alerts_by_time ON alerts (last_ns);

-- What a persona is used to; `record` is JSON.
CREATE TABLE baselines (
    persona TEXT NOT NULL,
    genome_id TEXT NOT NULL DEFAULT '',
    quantity TEXT NOT NULL,
    updated_ns INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (persona, genome_id, quantity)
) WITHOUT ROWID;

-- How full file systems were.
CREATE TABLE rooms (
    at_ns INTEGER NOT NULL,
    mount TEXT NOT NULL,
    used INTEGER NOT NULL,
    total INTEGER NOT NULL,
    PRIMARY KEY (at_ns, mount)
) WITHOUT ROWID;

-- What was done about an alert, or would have been; `record` is JSON.
CREATE TABLE acts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    wall_ns INTEGER NOT NULL,
    alert INTEGER NOT NULL,
    record TEXT NOT NULL
);

CREATE INDEX acts_by_time ON acts (wall_ns);
