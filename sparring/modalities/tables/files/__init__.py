"""Files of tables: text, workbooks and typed columns become columns of raw strings or of values."""
