"""Names of what is stored with each trial of a study."""

FIELDS = "fields"  # FIELD=VALUE of the searched fields
METRIC = "metric"  # name of the score
EVALUATED = "evaluated"  # metrics of the samples of a finished run, by name
FAILED = "failed"  # why a run failed
