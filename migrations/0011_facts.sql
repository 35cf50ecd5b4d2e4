-- What the content of a file means, counted once per content: the small facts are rows, the terms a table beside.
-- A content is the bytes after decompression, so that x.ttl and x.ttl.gz share what is known of it. Rows are only added;
-- they leave with the last release that holds their content.

-- key: (file_id, facts_version)
CREATE TABLE file_facts (
    file_id VARCHAR,                -- sha256 of the stored bytes, as in extracted_files
    facts_version VARCHAR,          -- of the algorithm and of the libraries: facts of two are not compared in silence
    content_id VARCHAR,             -- sha256 of the content after decompression; equals file_id where nothing is compressed
    reason VARCHAR,                 -- why there are none, NULL where there are; then all below but recorded_at is NULL
    digest_kind VARCHAR,            -- rdf, obo …: digests of two kinds say nothing of each other
    digest VARCHAR,                 -- of the graph, without names of blank nodes and order; 64 hex digits
    digest_exact BOOLEAN,           -- whether graphs that differ are sure to have digests that differ
    triples BIGINT,                 -- a set, without repeats
    triples_parsed BIGINT,          -- with repeats
    bnodes BIGINT,                  -- blank nodes
    shared_bnodes BIGINT,           -- those that are referenced more than once
    cyclic_bnodes BIGINT,           -- those that lead back to themselves
    general_triples BIGINT,         -- of no term
    general_digest VARCHAR,         -- of these; 32 hex digits
    terms BIGINT,                   -- rows of the table of terms that stand for a term
    heads BIGINT,                   -- how many ontology headers there are, also those that were not recorded
    table_sha256 VARCHAR,           -- of the table of terms below .catalog/facts, which is Parquet
    table_bytes BIGINT,             -- its size
    recorded_at TIMESTAMP           -- when
);

-- key: (content_id, facts_version, position)
CREATE TABLE ontology_heads (
    content_id VARCHAR,             -- as in file_facts
    facts_version VARCHAR,          -- likewise
    position INTEGER,               -- from 1 on
    ontology_iri VARCHAR,           -- what the header is of
    kind VARCHAR,                   -- ontology or scheme
    version_iri VARCHAR,            -- as it states it
    version_info VARCHAR,           -- likewise
    title VARCHAR,                  -- likewise
    license VARCHAR,                -- likewise
    imports VARCHAR[],              -- IRIs of what it imports
    statements BIGINT,              -- triples, or clauses, of the header
    digest VARCHAR                  -- of these; hex digits
);
