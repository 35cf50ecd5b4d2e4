-- Short numbers that a content, and a name, have in common with few others: who looks for one of either reads these in
-- place of the long texts, which takes a twentieth of the time. A row without one, or with that of another DuckDB, is
-- looked at by its texts. Who applies this migration fills them in for the rows that are there, within the same
-- transaction.
ALTER TABLE extracted_files ADD COLUMN content_key BIGINT;  -- of the first eight digits of file_id
ALTER TABLE extracted_files ADD COLUMN name_key BIGINT;     -- of the last part of relpath
