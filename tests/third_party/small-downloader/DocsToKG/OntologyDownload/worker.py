"""The validator's process."""

import json
import sys
from pathlib import Path

from DocsToKG.OntologyDownload import planning

text = Path(sys.argv[1]).read_text(encoding="utf-8")
heavy = sorted({"duckdb", "pyarrow", "polars"} & set(sys.modules))
ok = "broken" not in text
print(json.dumps({"ok": ok, "details": {"resolvers": len(planning.RESOLVERS), "heavy": heavy}, "output_files": []}))
