"""The tables of a shared catalog in PostgreSQL, of which one format is known to this program."""

FORMAT = 1
LOCK = 0x6F6E746F666574  # of PostgreSQL's advisory locks, which are each database's own
SWEEP = LOCK + 1  # of who sweeps
WORKERS = 0x6F6E746F  # first half of the locks of machines that divide work; the second is the worker's number
SCHEMA = """
CREATE SCHEMA IF NOT EXISTS ontofetch;
CREATE TABLE IF NOT EXISTS ontofetch.store (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    identity text NOT NULL,
    format integer NOT NULL,
    objects text NOT NULL,
    key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS ontofetch.boundaries (
    first_event bigint PRIMARY KEY,
    last_event bigint NOT NULL UNIQUE CHECK (last_event >= first_event),
    boundary_id text NOT NULL UNIQUE,
    type text NOT NULL,
    version_id text,
    former text NOT NULL,
    digest text NOT NULL,
    schema integer NOT NULL,
    machine text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    changes bytea NOT NULL,
    moves text NOT NULL
);
DO $$ BEGIN
    EXECUTE 'ALTER TABLE ontofetch.boundaries ALTER moves SET COMPRESSION lz4';
EXCEPTION WHEN OTHERS THEN
    NULL; -- a server before 14, or built without it: it packs in its own way, which takes three times as long
END $$;
CREATE TABLE IF NOT EXISTS ontofetch.contents (
    -- a pattern would take most of the time of a row
    sha256 text COLLATE "C" PRIMARY KEY
        CHECK (octet_length(sha256) = 64 AND encode(decode(sha256, 'hex'), 'hex') = sha256),
    size bigint NOT NULL CHECK (size >= 0),
    key text NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    condemned_at timestamptz
);
-- a foreign key, and the index that it needs, take as long as the rows: who appends asks for all contents at once
CREATE TABLE IF NOT EXISTS ontofetch.paths (
    path text COLLATE "C" PRIMARY KEY,
    sha256 text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    mode integer NOT NULL
);
CREATE TABLE IF NOT EXISTS ontofetch.works (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    closed boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS ontofetch.workers (
    worker integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES ontofetch.works ON DELETE CASCADE,
    who text NOT NULL
);
CREATE TABLE IF NOT EXISTS ontofetch.leases (
    run bigint REFERENCES ontofetch.works ON DELETE CASCADE,
    item text COLLATE "C",
    worker integer NOT NULL,
    who text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    outcome text,
    PRIMARY KEY (run, item)
);
-- by which holds know a content: the event that brought it, and the one as of which a sweep found that no path has it
ALTER TABLE ontofetch.contents
    ADD COLUMN IF NOT EXISTS added_event bigint,
    ADD COLUMN IF NOT EXISTS unnamed_event bigint;
ALTER TABLE ontofetch.contents
    ALTER added_event SET DEFAULT nullif(current_setting('ontofetch.event', true), '')::bigint;
CREATE INDEX IF NOT EXISTS contents_found_unnamed ON ontofetch.contents (sha256)
    WHERE condemned_at IS NOT NULL OR unnamed_event IS NOT NULL;
CREATE TABLE IF NOT EXISTS ontofetch.holds (
    name text COLLATE "C" PRIMARY KEY,
    event bigint NOT NULL,
    who text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    until timestamptz
);
-- who may read the log, or write to it, may do so with what came later
DO $$ DECLARE grantee text; may text; BEGIN
    FOR grantee, may IN
        SELECT acl.grantee::regrole::text, acl.privilege_type
        FROM pg_class, aclexplode(relacl) AS acl
        WHERE pg_class.oid = 'ontofetch.boundaries'::regclass AND acl.grantee NOT IN (0, relowner)
    LOOP
        IF may = 'SELECT' THEN
            EXECUTE 'GRANT SELECT ON ontofetch.holds TO ' || grantee;
        ELSIF may = 'INSERT' THEN
            EXECUTE 'GRANT INSERT, UPDATE, DELETE ON ontofetch.holds TO ' || grantee;
        END IF;
    END LOOP;
END $$;
"""
