"""Files as they are exported (`realistic_files`), given as by a new user: what is recognized, said and written back."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
import torch
from realistic_files import FILES

from sparring.data.tensors import VALUES
from sparring.modalities import Samples, Series, Table, find
from sparring.modalities.tables.reading import read_table

ROWS = 60  # that are drawn
HEX = "[0-9a-f]"
UUID = rf"{HEX}{{8}}-{HEX}{{4}}-4{HEX}{{3}}-[89ab]{HEX}{{3}}-{HEX}{{12}}"
DAY = r"\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"


@dataclass(frozen=True)
class Rows:
    """What a table is recognized as.

    Attributes:
        kinds: of its columns: c for a category, n for a number, i for an identifier.
        written: pattern of the text of each drawn value, by column.
        said: parts of what the user is told.
    """

    kinds: str
    written: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Steps:
    """What a series is recognized as.

    Attributes:
        names: of its channels.
        dates: the first two dates of a path, as they are written.
        said: parts of what the user is told.
    """

    names: tuple[str, ...]
    dates: tuple[str, str]
    said: tuple[str, ...] = ()


EXPECTED: dict[str, Rows | Steps] = {
    "une_rt_m.tsv": Rows(
        "cccc" + 24 * "n", {"2019M12": r"\d+\.\d|", "geo": "[A-Z]{2}"},
        ("is read as the columns unit, sex, age, geo", "remarks after numbers ('bu', 'p', 'b') are left out"),
    ),
    "UNRATE.csv": Steps(("DGS10",), ("2019-08-13", "2019-08-14"), ("'.' in 'DGS10'", "3 of 160 steps")),
    "BBK01.WT5511.csv": Steps(
        ("BBDP1.M.DE.N.VPI",), ("2018-05", "2018-06"),
        ("4 lines below the names are a part of the header", "with decimal commas", "first days of months"),
    ),
    "ecb.csv": Steps(
        ("EXR.D.USD.EUR.SP00.A",), ("2020-08-12", "2020-08-13"),
        ("3 lines below the names", "the newest rows come first"),
    ),
    "API_NY.GDP.csv": Rows(
        "iicc" + 30 * "n", {"Country Code": "[A-Z]{3}"}, ("2 lines before the header are left out",)
    ),
    "quarters.csv": Steps(("Revenue (m)", "Net income"), ("FY2020Q1", "FY2020Q2"), ("every quarter",)),
    "BTCUSDT-1h.csv": Steps(
        ("open", "high", "low", "close", "volume", "quote_volume", "count", "ignore"),
        ("1615132800000", "1615136400000"), ("read as milliseconds since 1970", "every h"),
    ),
    "Coinbase_BTCUSD_h.csv": Steps(
        ("Unix Timestamp", "Open", "High", "Low", "Close", "Volume BTC", "Volume USD"),
        ("2019-06-07 04-PM", "2019-06-07 05-PM"), ("1 line before the header", "Symbol"),
    ),
    "EURUSD60.csv": Steps(
        ("x2", "x3", "x4", "x5", "x6"), ("2020-01-10 16:00:00", "2020-01-10 17:00:00"),
        ("no header", "'x0' and 'x1' are read together", "every h, Monday to Friday 00:00-23:00"),
    ),
    "aapl_us_d.csv": Steps(
        ("<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>", "<OPENINT>"), ("20190814", "20190815"), ("%Y%m%d", "<TICKER>")
    ),
    "HistoricalData.csv": Steps(
        ("Close/Last", "Volume", "Open", "High", "Low"), ("08/13/2020", "08/14/2020"), ("month, day, year", "'$100.13'")
    ),
    "bars_5min.csv": Steps(
        ("close", "volume"), ("2021-03-18 09:30:00-04:00", "2021-03-18 09:35:00-04:00"),
        ("every 5min, Monday to Friday 09:30-15:55",),
    ),
    "three_tickers.csv": Steps(
        ("AAPL close", "BRK.B close", "MSFT close"), ("2020-08-13", "2020-08-14"), ("told apart by 'ticker'",)
    ),
    "CR1000_Table1.dat": Steps(
        ("RECORD", "BattV_Min", "AirTC_Avg", "RH", "Rain_mm_Tot"), ("2020-05-02 02:40:00", "2020-05-02 02:50:00"),
        ("1 line before the header", "2 lines below the names", "'NAN' in 'Rain_mm_Tot'", "every 10min"),
    ),
    "hobo.csv": Steps(
        ("#", "Temp, °C (LGR S/N: 123, SEN S/N: 123)"), ("07/03/20 04:00:00 AM", "07/03/20 04:15:00 AM"),
        ("'Plot Title: Creek 3'", "read as month, day, year", "left out, because they are not numbers: Stopped"),
    ),
    "ghcn.csv": Steps(
        tuple(f"{s} {n}" for s in ("USC00045721", "USW00014739") for n in ("PRCP", "TMAX", "TMIN")),
        ("20180610", "20180611"), ("taken as missing, far from all other values: -9999", "told apart by 'STATION'"),
    ),
    "weeks.csv": Steps(("cases", "incidence"), ("2020-W05", "2020-W06"), ("every Monday",)),
    "track.csv": Rows(
        "nnnnc", {"lat": r"4[89]°[0-5]\d'[0-5]\d\.\d\"N",
                  "lon": r"[12]°[0-5]\d'[0-5]\d\.\d\"E", "speed": r"\d+\.\d km/h",
                  "time": rf"{DAY}T{CLOCK}:[0-5]\d\.000Z", "fix": "3D|2D|none"},
        ("holds degrees",),
    ),
    "copy.tsv": Rows(
        "iincnni", {"id": UUID, "created_at": rf"{DAY} {CLOCK}:[0-5]\d\.\d{{6}}\+00", "birthday": rf"{DAY}|",
                    "ip": r"10\.0\.\d\.(\d|[1-9]\d|[12][0-5][0-5])", "account": r"1000\d{15}"},
        (r"'\\N' in 'birthday'",),
    ),
    "mysql_dump.csv": Rows(
        "innccn", {"shipped": rf"{DAY}|", "total": r"\d+\.\d\d"}, ("'0000-00-00' in 'shipped'", r"'\\N' in 'status'")
    ),
    "emp.csv": Rows("ncnncc", {"HIREDATE": r"\d\d-[A-Z]{3}-8\d"}, ("'10-SEP-83', read as %d-%b-%y",)),
    "sap_list.txt": Rows(
        "cnncncc", {"Konto": r"\d{10}", "Betrag HW": r"(\d\.)?\d{1,3},\d\d-?", "Text": "Miete|Löhne|Gebühr"},
        ("Windows-1252", "'Einzelposten Debitoren'"),
    ),
    "datev.csv": Rows(
        "ncccccc", {"Belegdatum": r"[0-3]\d[01]\d"}, ("1 line before the header is left out, first 'EXTF",)
    ),
    "events.jsonl": Rows("nicncc", {"ts": rf"{DAY}T{CLOCK}:\d\dZ", "user.country": "DE|NA|US|FR"}),
    "types.parquet": Rows("cinnnnnn", {"price": r"\d+\.\d\d", "opens": r"\d\d:(00|15|30|45):00", "day": DAY}),
    "budget.xlsx": Rows("ncnnc", {"Date": DAY}, ("'Budget 2020 by department'", "no data and left out: 'Total'")),
    "responses.csv": Rows(
        "ncccc", {"Timestamp": r"1?\d/[1-3]?\d/20(19|20) \d{1,2}:[0-5]\d:[0-5]\d"}, ("read as month, day, year",)
    ),
    "spss.csv": Rows(
        "iccnnn", {"age": r"-99|[1-8]\d", "weight": r"\d\.\d{4}"}, ("'age' holds -99, far from", "decimal points")
    ),
    "iris_r.csv": Rows("inncc", {"wild": "TRUE|FALSE"}, ("column 1 has no name", "'NA' in 'Sepal.Width'")),
    "to_csv.csv": Rows("iicncn", {"active": "True|False", "children": r"[0-4]\.0|"}, ("column 1 has no name",)),
    "customers.csv": Rows(
        "iicciii", {"phone": r"\+49 30 \d{3} \d{4}", "iban": r"DE\d\d( \d{4}){4} \d\d",
                    "color": "#(ff0000|00ff00|1e90ff|123456)",
                    "mac": rf"{HEX}{{2}}(:{HEX}{{2}}){{5}}", "zip": "01067|10115|20095|80331|04109", "vat": r"DE\d{9}"},
        ("samples get invented values of the same pattern",),
    ),
    "prices.csv": Rows(
        "nnnnnn", {"Paris": r"(\d{1,2}\u202f)?\d{1,3},\d\d €", "Zürich": r"(\d{1,2}')?\d{1,3}\.\d\d",
                   "Weight": r"\d+ kg",
                   "Mumbai": r"(\d{1,2},)?(\d\d,)?\d{1,3}\.\d\d", "Discount": r"\d+%", "Rate": "-?\\d+,\\d\u00a0%"},
    ),
    "mac.csv": Rows("icnn", {"place": "(North|South)\nside", "day": r"[A-Z][a-z]{2} [0-3]\d, \d{4}"}),
    "artists.csv": Rows(
        "icncc", {"gid": UUID, "begin": rf"{DAY}|\d{{4}}-\d\d|\d{{4}}"}, ("some values look like dates",)
    ),
    "psql.txt": Rows(
        "icnn", {"made": rf"{DAY} {CLOCK}:\d\d\+01", "color": "red|green|blue"}, ("left out: '(160 rows)'",)
    ),
    "r_table.txt": Rows("incnc", {"model": r"car\d"}, ("column 1 has no name; it is called 'x0'",)),
    "sas.csv": Rows(
        "nnnc", {"VISIT": rf"\d\d[A-Z]{{3}}\d{{4}}:{CLOCK}:\d\d", "BIRTH": r"\d\d[A-Z]{3}\d{4}"}, ("'.' in 'SBP'",)
    ),
    "klines.csv": Steps(("x1", "x2", "x3"), ("1735833600000000", "1735834500000000"), ("microseconds since 1970",)),
    "gdp_quarterly.csv": Steps(("GDP", "Growth"), ("2020 Q1", "2020 Q2"), ("('*', '(p)', '[1]') are left out",)),
}  # fmt: skip


def stored(name, folder):
    content = FILES[name]()
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def drawn(table):
    """Rows whose columns are drawn separately, from all codes, those of rare values included."""
    generator = torch.Generator().manual_seed(0)
    shares = table.level_shares().split([column.width for column in table.learned])
    codes = torch.stack([s.multinomial(ROWS, replacement=True, generator=generator) for s in shares], 1).float()
    scalars = torch.rand(ROWS, len(table.scalars), generator=generator) * 2 - 1
    return table.decode({VALUES: table.scale(torch.cat([codes, scalars], 1))})


def test_every_file_is_tried():
    assert set(FILES) == set(EXPECTED)


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if isinstance(expected, Rows)])
def test_tables(name, tmp_path):
    expected, items = EXPECTED[name], find(stored(name, tmp_path))
    assert items.kind == "rows"
    table = Table().fit(items)
    said = " | ".join((*items.notes, *table.encode(items).notes))
    assert "".join(column.kind[0] for column in table.columns) == expected.kinds
    assert [part for part in expected.said if part not in said] == []
    made = table.written(drawn(table))
    assert list(made) == list(items.items)
    texts = made.astype(object).where(made.notna(), "").astype(str)
    for column, pattern in expected.written.items():
        wrong = [text for text in texts[column] if not re.fullmatch(pattern, text)]
        assert not wrong, (column, wrong[:3])
    for column in (c for c in table.columns if c.kind == "category"):
        assert set(made[column.name].dropna()) <= set(items.items[column.name].dropna()), column.name
    check_read_again(table, made, tmp_path)


def check_read_again(table, made, folder):
    """What was written is read as the same values."""
    made.to_csv(folder / "made.csv", index=False)
    again = read_table(folder / "made.csv").items
    for column in (c for c in table.columns if c.kind == "number"):
        before, after = (column.comparable(frame[column.name]) for frame in (made, again))
        assert np.allclose(before, after, rtol=1e-9, atol=1e-9, equal_nan=True), column.name


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if isinstance(expected, Steps)])
def test_series(name, tmp_path):
    expected, items = EXPECTED[name], find(stored(name, tmp_path))
    assert items.kind == "series"
    series = Series(window=16).fit(items)
    said = " | ".join((*items.notes, *series.encode(items).notes))
    assert tuple(series.names) == expected.names
    assert [part for part in expected.said if part not in said] == []
    noise = np.random.default_rng(0).normal(size=(12, len(series.learned)))
    Samples(series.destandardize(noise)[None], None, series).save(tmp_path / "made.csv")
    made = pd.read_csv(tmp_path / "made.csv", dtype=str)
    assert tuple(made.iloc[:2, 0]) == expected.dates
    values, (low, high) = made.iloc[:, 1:].astype(float), _range(series.values(items))
    assert ((values >= low - (high - low)) & (values <= high + (high - low))).all(axis=None)


def _range(values):
    return values.min(0), values.max(0)
