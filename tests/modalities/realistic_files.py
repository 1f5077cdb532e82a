"""Files as databases, spreadsheets, statistical offices, exchanges and loggers export them, made up from scratch.

Each function returns the text or the bytes of a file, and stands in `FILES` under the name that the file has.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
import pandas as pd

N = 160  # rows
Content = str | bytes
FILES: dict[str, Callable[[], Content]] = {}


def file(name: str) -> Callable[[Callable[[], Content]], Callable[[], Content]]:
    """Registers a maker of a file under the file's name."""

    def register(make: Callable[[], Content]) -> Callable[[], Content]:
        FILES[name] = make
        return make

    return register


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def walk(n: int = N, start: float = 100.0, seed: int = 0) -> np.ndarray:
    return start * np.exp(random(seed).normal(0, 0.01, n).cumsum())


def moments(n: int = N, seed: int = 0, begin: str = "2019-02-01", days: int = 700) -> pd.DatetimeIndex:
    seconds = np.sort(random(seed).choice(days * 86_400, n, replace=False))
    return pd.Timestamp(begin) + pd.to_timedelta(random(seed + 1).permutation(seconds), "s")


def choice(words: Sequence[str], n: int = N, seed: int = 0) -> np.ndarray:
    return random(seed).choice(list(words), n)


def lines(rows: Sequence[Sequence[object]], separator: str = ",", end: str = "\n") -> str:
    return end.join(separator.join(map(str, row)) for row in rows) + end


def german(x: float, decimals: int = 2) -> str:
    return f"{x:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def indian(x: float) -> str:
    whole, fraction = f"{x:.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1]
    return ",".join([*groups, tail]) + "." + fraction


# Statistical offices and central banks.


@file("une_rt_m.tsv")
def eurostat() -> str:
    """Eurostat: keys in one column, flags after numbers, a colon where there is none."""
    months = pd.period_range("2018-01", periods=24, freq="M")[::-1]
    rows = [["unit,sex,age,geo\\time", *(f"{m.year}M{m.month:02} " for m in months)]]
    r = random()
    for unit in ("PC_ACT", "THS_PER"):
        for sex in "TMF":
            for geo in ("AT", "BE", "DE", "EL", "FR", "IT", "SE"):
                cells = [
                    f"{x:.1f} {choice([*[''] * 9, 'p', 'b', 'bu'], 1, int(x * 99))[0]}"
                    for x in r.uniform(3, 20, len(months))
                ]
                cells[int(r.integers(24))] = ": "
                rows.append([f"{unit},{sex},TOTAL,{geo}", *cells])
    return lines(rows, "\t")


@file("UNRATE.csv")
def fred() -> str:
    """FRED: a point where a day has no value."""
    days = pd.bdate_range("2019-01-01", periods=N)
    values = [f"{x:.2f}" for x in 2 + random().normal(0, 0.02, N).cumsum()]
    values[0] = values[25] = values[77] = "."
    return lines([["DATE", "DGS10"], *zip(days.strftime("%Y-%m-%d"), values, strict=True)])


@file("BBK01.WT5511.csv")
def bundesbank() -> str:
    """Bundesbank: several lines of header, semicolons, decimal commas, comments."""
    months = pd.period_range("2005-01", periods=N, freq="M").strftime("%Y-%m")
    head = [
        ["", "BBDP1.M.DE.N.VPI", "BBDP1.M.DE.N.VPI_FLAGS"],
        ["", "Verbraucherpreisindex / Deutschland / Unbereinigt", ""],
        ["Einheit", "2015 = 100", ""],
        ["Dimension", "Eins", ""],
        ["Stand vom", "11.01.2021 14:02:22 Uhr", ""],
    ]
    rows = [[m, f"{x:.1f}".replace(".", ","), ""] for m, x in zip(months, 90 + np.arange(N) / 8, strict=True)]
    rows[40][1:] = [".", "Kein Wert vorhanden"]
    return "\ufeff" + lines([*head, *rows], ";", "\r\n")


@file("ecb.csv")
def ecb() -> str:
    """ECB: the newest first, metadata in the lines of the header."""
    days = pd.bdate_range("2020-01-01", periods=N)[::-1]
    head = [
        ["Data Source in SDW: null"],
        ["", "EXR.D.USD.EUR.SP00.A"],
        ["", "ECB reference exchange rate, US dollar/Euro, 2:15 pm (C.E.T.)"],
        ["Collection:", "Average of observations through period (A)"],
        ["Period\\Unit:", "[US dollar ]"],
    ]
    rates = [f"{x:.4f}" for x in walk(start=1.1)]
    rates[12] = "-"
    return lines([*head, *zip(days.strftime("%Y-%m-%d"), rates, strict=True)])


@file("API_NY.GDP.csv")
def world_bank() -> str:
    """World Bank: lines of title, years as columns, a comma at the end of each line."""
    years = range(1990, 2020)
    head = ['"Data Source","World Development Indicators",', "", '"Last Updated Date","2020-12-16",', ""]
    names = ["Country Name", "Country Code", "Indicator Name", "Indicator Code", *years]
    rows, r = [names], random()
    for i in range(80):
        code = f"{chr(65 + i % 26)}{chr(65 + i // 26)}{chr(65 + i * 7 % 26)}"
        values = [
            f"{x:.4f}".rstrip("0") if r.random() > 0.1 else ""
            for x in r.lognormal(24, 2) * np.linspace(1, 2, len(years))
        ]
        name = ["", "Republic of ", "The "][i % 3] + code.title() + ["land", "ia, Rep.", "stan"][i % 3]
        rows.append([name, code, "GDP (current US$)", "NY.GDP.MKTP.CD", *values])
    return "\n".join([*head, *(",".join(f'"{cell}"' for cell in row) + "," for row in rows)]) + "\n"


@file("quarters.csv")
def fiscal_quarters() -> str:
    """A company's figures by fiscal quarter, in accounts' brackets."""
    quarters = [f"FY{2000 + i // 4}Q{i % 4 + 1}" for i in range(80)]
    net = random().normal(20, 60, 80)
    rows = [
        [q, f'"${x:,.1f}"', f'"({-y:,.1f})"' if y < 0 else f'"{y:,.1f}"']
        for q, x, y in zip(quarters, walk(80, 1000), net * 30, strict=True)
    ]
    return lines([["Quarter", "Revenue (m)", "Net income"], *rows])


# Exchanges.


@file("BTCUSDT-1h.csv")
def binance() -> str:
    """Binance: moments in milliseconds, and a column that is always zero."""
    opened = pd.date_range("2021-03-01", periods=N, freq="h").as_unit("ms").astype(np.int64)
    close = walk(start=48_000)
    rows = [
        [
            t,
            f"{o:.8f}",
            f"{max(o, c) * 1.002:.8f}",
            f"{min(o, c) * 0.998:.8f}",
            f"{c:.8f}",
            f"{v:.8f}",
            t + 3_599_999,
            f"{v * c:.8f}",
            trades,
            "0",
        ]
        for t, o, c, v, trades in zip(
            opened,
            np.r_[close[0], close[:-1]],
            close,
            random(1).lognormal(6, 0.5, N),
            random(2).integers(900, 9000, N),
            strict=True,
        )
    ]
    names = ["open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count", "ignore"]
    return lines([names, *rows])


@file("Coinbase_BTCUSD_h.csv")
def coinbase() -> str:
    """A download with a link above it, seconds and dates with AM and PM, the newest first."""
    opened = pd.date_range("2019-06-01", periods=N, freq="h")[::-1]
    close = walk(start=9000)
    rows = [
        [
            t.timestamp().__int__(),
            t.strftime("%Y-%m-%d %I-%p"),
            "BTCUSD",
            f"{c:.2f}",
            f"{c * 1.01:.2f}",
            f"{c * 0.99:.2f}",
            f"{c * 1.001:.2f}",
            f"{v:.2f}",
            f"{v * c:.2f}",
        ]
        for t, c, v in zip(opened, close, random(1).lognormal(5, 0.5, N), strict=True)
    ]
    names = ["Unix Timestamp", "Date", "Symbol", "Open", "High", "Low", "Close", "Volume BTC", "Volume USD"]
    return lines([["https://www.CryptoDataDownload.com"], names, *rows])


@file("EURUSD60.csv")
def meta_trader() -> str:
    """MetaTrader: no header, the day with points and the time in a column of its own."""
    dates = pd.date_range("2020-01-02", periods=N * 2, freq="h")
    dates = dates[dates.dayofweek < 5][:N]
    return lines(
        [
            [
                d.strftime("%Y.%m.%d"),
                d.strftime("%H:%M"),
                f"{c:.5f}",
                f"{c + 0.002:.5f}",
                f"{c - 0.002:.5f}",
                f"{c + 0.0003:.5f}",
                v,
            ]
            for d, c, v in zip(dates, walk(start=1.1), random(1).integers(100, 5000, N), strict=True)
        ]
    )


@file("aapl_us_d.csv")
def stooq() -> str:
    """Stooq: names in angle brackets, whole numbers for days and times."""
    days = pd.bdate_range("2019-01-02", periods=N).strftime("%Y%m%d")
    rows = [
        ["AAPL.US", "D", d, "000000", f"{c:.4f}", f"{c + 1:.4f}", f"{c - 1:.4f}", f"{c + 0.2:.4f}", v, "0"]
        for d, c, v in zip(days, walk(), random(1).integers(10**6, 10**8, N), strict=True)
    ]
    names = ["TICKER", "PER", "DATE", "TIME", "OPEN", "HIGH", "LOW", "CLOSE", "VOL", "OPENINT"]
    return lines([[f"<{name}>" for name in names], *rows])


@file("HistoricalData.csv")
def nasdaq() -> str:
    """Nasdaq: months first, the newest first, dollars."""
    days = pd.bdate_range("2020-01-02", periods=N)[::-1].strftime("%m/%d/%Y")
    rows = [
        [d, f"${c:.2f}", v, f"${c + 1:.2f}", f"${c + 2:.2f}", f"${c - 2:.2f}"]
        for d, c, v in zip(days, walk(), random(1).integers(10**6, 10**8, N), strict=True)
    ]
    return lines([["Date", "Close/Last", "Volume", "Open", "High", "Low"], *rows])


@file("bars_5min.csv")
def intraday_with_summer_time() -> str:
    """Bars of five minutes in trading hours, with the offset from UTC, over a change of clocks."""
    days = pd.bdate_range("2021-03-08", periods=8)
    clock = [pd.date_range(d + pd.Timedelta("9h30min"), periods=78, freq="5min", tz="America/New_York") for d in days]
    stamps = [t.isoformat(" ") for part in clock for t in part]
    rows = [
        [t, f"{c:.2f}", v]
        for t, c, v in zip(stamps, walk(len(stamps)), random(1).integers(0, 5000, len(stamps)), strict=True)
    ]
    return lines([["timestamp", "close", "volume"], *rows])


@file("three_tickers.csv")
def three_tickers() -> str:
    """Three shares below one another, day by day."""
    days = pd.bdate_range("2020-01-02", periods=N)
    prices = {name: walk(seed=i) for i, name in enumerate(("AAPL", "BRK.B", "MSFT"))}
    return lines(
        [
            ["date", "ticker", "close"],
            *((d.date(), name, f"{p[i]:.2f}") for i, d in enumerate(days) for name, p in prices.items()),
        ]
    )


# Loggers.


@file("CR1000_Table1.dat")
def campbell() -> str:
    """Campbell Scientific, TOA5: the logger, names, units and processing in four lines; "NAN"."""
    stamps = pd.date_range("2020-05-01", periods=N, freq="10min")
    head = [
        '"TOA5","Station1","CR1000","1234","CR1000.Std.32","CPU:met.CR1","5678","Table1"',
        '"TIMESTAMP","RECORD","BattV_Min","AirTC_Avg","RH","Rain_mm_Tot"',
        '"TS","RN","Volts","Deg C","%","mm"',
        '"","","Min","Avg","Smp","Tot"',
    ]
    day = np.sin(np.arange(N) / 23)
    rows = [
        f'"{t}",{i},{12.6 + 0.1 * s:.2f},{15 + 8 * s + e:.3f},{60 - 20 * s:.1f},{max(0, r):.1f}'
        for i, (t, s, e, r) in enumerate(
            zip(stamps, day, random().normal(0, 0.2, N), random(1).normal(-2, 1, N), strict=True)
        )
    ]
    rows[30] = rows[30].rsplit(",", 1)[0] + ',"NAN"'
    return "\r\n".join([*head, *rows]) + "\r\n"


@file("hobo.csv")
def hobo() -> str:
    """HOBOware: a title, names with commas and units in quotes, "Logged" in the last columns."""
    stamps = pd.date_range("2020-07-01 12:00", periods=N, freq="15min")
    head = ['"Plot Title: Creek 3"', '"#","Date Time, GMT-07:00","Temp, °C (LGR S/N: 123, SEN S/N: 123)","Stopped"']
    rows = [
        f"{i + 1},{t:%m/%d/%y %I:%M:%S %p},{18 + 3 * np.sin(i / 15) + random(i).normal(0, 0.1):.3f},"
        for i, t in enumerate(stamps)
    ]
    rows[-1] += "Logged"
    return "\ufeff" + "\n".join([*head, *rows]) + "\n"


@file("ghcn.csv")
def weather_stations() -> str:
    """NOAA: days as whole numbers, -9999 where nothing was measured, attributes in commas."""
    days = pd.date_range("2018-01-01", periods=N).strftime("%Y%m%d")
    r = random()
    rows = [
        [
            s,
            d,
            *(int(x) if r.random() > 0.1 else -9999 for x in r.normal((5, 120, 40), (20, 60, 50))),
            f'"{",".join(("H", "", "S"))}"',
        ]
        for s in ("USC00045721", "USW00014739")
        for d in days
    ]
    return lines([["STATION", "DATE", "PRCP", "TMAX", "TMIN", "ATTRIBUTES"], *rows])


@file("weeks.csv")
def iso_weeks() -> str:
    """Reports of a disease by ISO week."""
    weeks = pd.date_range("2017-01-02", periods=N, freq="7D").strftime("%G-W%V")
    cases = random().poisson(40 + 30 * np.sin(np.arange(N) / 8.3))
    return lines(
        [["week", "cases", "incidence"], *((w, c, f"{c / 83:.2f}") for w, c in zip(weeks, cases, strict=True))]
    )


@file("track.csv")
def tracker() -> str:
    """A GPS tracker: degrees, minutes and seconds, and ISO moments with milliseconds."""

    def degrees(x: float, letters: str) -> str:
        seconds = abs(x) * 3600
        return f'{int(seconds // 3600)}°{int(seconds % 3600 // 60):02}\'{seconds % 60:04.1f}""{letters[int(x < 0)]}'

    r = random()
    rows = [
        [
            f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond // 1000:03}Z",
            f'"{degrees(48.85 + a, "NS")}"',
            f'"{degrees(2.35 + b, "EW")}"',
            f"{abs(c):.1f} km/h",
            choice(["3D", "2D", "none"], 1, i)[0],
        ]
        for i, (t, a, b, c) in enumerate(zip(moments(), *r.normal(0, (0.1, 0.1, 20), (N, 3)).T, strict=True))
    ]
    return lines([["time", "lat", "lon", "speed", "fix"], *rows])


# Databases.


@file("copy.tsv")
def postgres() -> str:
    r"""PostgreSQL, COPY: \N, t and f, moments with an offset of hours, UUIDs, numbers of 19 digits."""
    r = random()
    rows = [
        [
            uuid.UUID(int=int(r.integers(2**63)) << 64 | int(r.integers(2**63)), version=4),
            10**18 + int(r.integers(10**15)),
            f"{t:%Y-%m-%d %H:%M:%S}.{t.nanosecond + 123456 + i:06}+00",
            choice("tf", 1, i)[0],
            r"\N" if i % 9 == 0 else f"{t:%Y-%m-%d}",
            f"{r.gamma(2, 40):.2f}",
            f"10.0.{i % 7}.{i % 250}",
        ]
        for i, t in enumerate(moments())
    ]
    return lines([["id", "account", "created_at", "active", "birthday", "balance", "ip"], *rows], "\t")


@file("mysql_dump.csv")
def mysql() -> str:
    r"""MySQL, INTO OUTFILE: quoted cells, \N, days that are zero."""
    r = random()
    rows = [
        f'"{i + 17}","{t:%Y-%m-%d}","{t:%Y-%m-%d %H:%M:%S}","{r.integers(0, 2)}",'
        f'"{choice(["new", "paid", "sent"], 1, i)[0]}","{r.lognormal(4, 1):.2f}"'
        for i, t in enumerate(moments())
    ]
    rows = [row.replace(row.split(",")[1], '"0000-00-00"', 1) if i % 11 == 0 else row for i, row in enumerate(rows)]
    rows = [row.replace('"new"', r"\N") if i % 5 == 0 else row for i, row in enumerate(rows)]
    return "id,shipped,changed,gift,status,total\n" + "\n".join(rows) + "\n"


@file("emp.csv")
def oracle() -> str:
    """Oracle SQL Developer: quoted names in capitals, months in capitals, empty cells for NULL."""
    rows = [
        f'{7000 + 3 * i},"{choice(["CLERK", "SALESMAN", "MANAGER"], 1, i)[0]}",{t.strftime("%d-%b-%y").upper()},'
        f"{random(i).integers(8, 50) * 100},{random(i).integers(0, 14) * 100 if i % 3 else ''},{10 * (i % 4 + 1)}"
        for i, t in enumerate(moments(begin="1980-12-01", days=3000))
    ]
    return '"EMPNO","JOB","HIREDATE","SAL","COMM","DEPTNO"\n' + "\n".join(rows) + "\n"


@file("sap_list.txt")
def sap() -> str:
    """SAP: a list with rulers, a minus behind the number, keys with zeros in front, in Windows-1252."""
    ruler = "-" * 84
    head = [
        "Einzelposten Debitoren",
        "",
        ruler,
        "|Konto     |Beleg     |Belegdatum|Buchkr.|   Betrag HW   |Währg|Text          |",
        ruler,
    ]
    rows = [
        f"|{1000200 + i % 30:010}|{1800000000 + 7 * i}|{t:%d.%m.%Y}|{choice(['1000', '2000'], 1, i)[0]:7}|"
        f"{german(abs(x)) + ('-' if x < 0 else ' '):>15}|EUR  |{choice(['Miete', 'Löhne', 'Gebühr'], 1, i)[0]:14}|"
        for i, (t, x) in enumerate(zip(moments(), random().normal(400, 900, N), strict=True))
    ]
    return "\r\n".join([*head, *rows, ruler]).encode("cp1252")


@file("datev.csv")
def datev() -> bytes:
    """DATEV: a line about the file, decimal commas, days and months without a year, Windows-1252."""
    head = [
        '"EXTF";700;21;"Buchungsstapel";12;20210104101112000;;"RE";"";"";1001;10000;20200101;4;20200101;20201231;'
        '"Buchungen";"";1;0;0;"EUR"',
        "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Gegenkonto (ohne BU-Schlüssel);"
        "Belegdatum;Buchungstext",
    ]
    rows = [
        f'{german(x).replace(".", "")};"{choice("SH", 1, i)[0]}";"EUR";{random(i).choice([1200, 1800, 4120, 8400])};'
        f'{random(i).choice([70001, 70017, 10233])};{t:%d%m};"{choice(["Miete", "Büro", "Überweisung"], 1, i)[0]}"'
        for i, (t, x) in enumerate(zip(moments(), random().lognormal(5, 1, N), strict=True))
    ]
    return "\r\n".join([*head, *rows]).encode("cp1252") + b"\r\n"


@file("events.jsonl")
def service() -> str:
    """An API's log: records in records, moments in ISO 8601, null, and a field that not all have."""
    r = random()
    records = []
    for i, t in enumerate(moments()):
        user = {"id": f"u_{int(r.integers(16**8)):08x}", "country": choice(["DE", "NA", "US", "FR"], 1, i)[0]}
        event = {
            "ts": f"{t:%Y-%m-%dT%H:%M:%SZ}",
            "user": user,
            "ms": round(float(r.gamma(2, 30)), 1),
            "ok": bool(i % 7),
        }
        records.append(event | ({"error": {"code": 500 + i % 3}} if not i % 7 else {}))
    return "\n".join(map(json.dumps, records)) + "\n"


@file("types.parquet")
def typed_columns() -> bytes:
    """Parquet with dictionaries, uint64, decimals, times, durations and days."""
    import pyarrow as pa
    from pyarrow import parquet

    r = random()
    columns = {
        "city": pa.array(choice(["Oslo", "Bern", "Rome"])).dictionary_encode(),
        "hash": pa.array(r.integers(2**62, 2**63, N).astype(np.uint64) * 2 - 1),
        "price": pa.array([f"{x:.2f}" for x in r.lognormal(3, 1, N)]).cast(pa.decimal128(12, 2)),
        "opens": pa.array(r.integers(6 * 3600, 11 * 3600, N) // 900 * 900, pa.int32()).cast(pa.time32("s")),
        "stay": pa.array(r.integers(60, 9000, N)).cast(pa.duration("s")),
        "day": pa.array(moments().floor("D").as_unit("s")).cast(pa.date32()),
        "seen": pa.array(moments().tz_localize("UTC").as_unit("us")),
        "small": pa.array(r.integers(0, 200, N).astype(np.uint8), mask=r.random(N) < 0.1),
    }
    buffer = BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


# Spreadsheets and statistics programs.


@file("budget.xlsx")
def workbook() -> bytes:
    """Excel: a merged title, an empty row, dates as dates, percentages, a row of totals."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Budget 2020 by department"])
    sheet.merge_cells("A1:E1")
    sheet.append([])
    sheet.append(["Date", "Department", "Amount", "Share", "Approved"])
    for i, (t, x) in enumerate(zip(moments(), random().lognormal(7, 1, N), strict=True)):
        sheet.append(
            [
                t.floor("D").to_pydatetime(),
                choice(["Sales", "R&D", "IT"], 1, i)[0],
                round(float(x), 2),
                round(float(random(i).random()), 3),
                bool(i % 3),
            ]
        )
        sheet.cell(sheet.max_row, 4).number_format = "0.0%"
    sheet.append(["Total", None, f"=SUM(C4:C{N + 3})", None, None])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@file("responses.csv")
def survey_form() -> str:
    """Google Forms: moments without leading zeros, questions as names, several choices, line ends in answers."""
    names = ["Timestamp", "How old are you?", "How satisfied are you? [Price]", "Which do you use? (all)", "Comments"]
    answers = ["5 - very", "4", "3", "2", "1 - not at all"]
    rows = [names]
    for i, t in enumerate(moments()):
        said = ["", "Good,\nreally good", 'The "new" one', "-"][i % 4]
        uses = ["Phone", "Phone, Web", "Web"][i % 3]
        age = ["18-24", "25-34", "35-44", "45+"][random(i).integers(4)]
        rows.append([f"{t.month}/{t.day}/{t:%Y} {t.hour}:{t:%M:%S}", age, answers[random(i).integers(5)], uses, said])
    return "\r\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows) + "\r\n"


@file("spss.csv")
def spss_codes() -> str:
    """SPSS: codes of answers with -99 and -88 where there is none, in a file with decimal commas."""
    r = random()
    rows = [
        [
            i + 1,
            r.choice([1, 2, -99]),
            r.choice([1, 2, 3, 4, 5, -99, -88]),
            r.choice([r.integers(18, 90), -99], p=[0.9, 0.1]),
            f"{r.uniform(0.2, 3):.4f}".replace(".", ","),
            f"{r.normal(2500, 900):.2f}".replace(".", ","),
        ]
        for i in range(N)
    ]
    return lines([["id", "sex", "q1", "age", "weight", "income"], *rows], ";")


@file("iris_r.csv")
def r_write_csv() -> str:
    """R, write.csv: row names in a column without a name, NA, TRUE, factors in quotes."""
    r = random()
    rows = [
        [
            f'"{i + 1}"',
            f"{r.normal(5.8, 0.8):.1f}",
            "NA" if i % 20 == 3 else f"{r.normal(3, 0.4):.1f}",
            f'"{choice(["setosa", "virginica"], 1, i)[0]}"',
            ["TRUE", "FALSE"][i % 2],
        ]
        for i in range(N)
    ]
    return lines([['""', '"Sepal.Length"', '"Sepal.Width"', '"Species"', '"wild"'], *rows])


@file("to_csv.csv")
def pandas_to_csv() -> str:
    """pandas, to_csv twice: the index as a first column without a name, and "Unnamed: 0"; floats of whole numbers."""
    r = random()
    rows = [
        [i, i, f"{r.integers(0, 5)}.0" if i % 8 else "", f"{r.random()}", ["True", "False"][i % 2], f"{t}"]
        for i, t in enumerate(moments())
    ]
    return lines([["", "Unnamed: 0", "children", "score", "active", "seen"], *rows])


@file("customers.csv")
def customers() -> str:
    """Names for people and things: telephone numbers, IBANs, ZIP codes, colors, MAC addresses, e-mail."""
    r = random()
    rows = [["phone", "iban", "zip", "color", "mac", "email", "vat"]]
    for _ in range(N):
        digits = "".join(map(str, r.integers(0, 10, 40)))
        rows.append(
            [
                f"+49 30 {digits[:3]} {digits[3:7]}",
                f"DE{digits[:2]} {digits[2:6]} {digits[6:10]} {digits[10:14]} {digits[14:18]} {digits[18:20]}",
                f"{r.choice([1067, 10115, 20095, 80331, 4109]):05}",
                f"#{r.choice([0xFF0000, 0x00FF00, 0x1E90FF, 0x123456]):06x}",
                ":".join(f"{b:02x}" for b in r.integers(0, 256, 6)),
                f"user{int(r.integers(10**6))}@example.com",
                f"DE{digits[20:29]}",
            ]
        )
    return lines(rows)


@file("prices.csv")
def shop() -> bytes:
    """A shop's prices in several countries' ways, in UTF-16 with tabs, as Excel's "Unicode text"."""
    names = ["Paris", "Zürich", "Mumbai", "Discount", "Weight", "Rate"]
    rows = [
        [
            f"{x:,.2f} €".translate(str.maketrans(",.", "\u202f,")),
            f"{x:,.2f}".replace(",", "'"),
            indian(x * 90),
            f"{y:.0%}",
            f"{z:.0f} kg",
            f"{w:.1f}\u00a0%".replace(".", ","),
        ]
        for x, y, z, w in zip(
            random().lognormal(7, 1.5, N),
            random(1).random(N),
            random(2).integers(1, 400, N),
            random(3).normal(2, 3, N),
            strict=True,
        )
    ]
    return lines([names, *rows], "\t", "\r\n").encode("utf-16")


@file("mac.csv")
def old_macintosh() -> bytes:
    """Line ends of old Macintoshes, and quoted cells with line ends."""
    rows = [
        [i, f'"{choice(["North", "South"], 1, i)[0]}\rside"', f"{x:.2f}", f'"{t:%b %d, %Y}"']
        for i, (t, x) in enumerate(zip(moments(), random().normal(10, 3, N), strict=True))
    ]
    return lines([["id", "place", "reading", "day"], *rows], end="\r").encode()


@file("artists.csv")
def music() -> str:
    """MusicBrainz: UUIDs, dates of which only the year or the month is known, lengths in minutes."""
    r = random()
    rows = []
    for i, t in enumerate(moments(begin="1950-01-01", days=20_000)):
        begun = t.strftime(["%Y-%m-%d", "%Y-%m-%d", "%Y-%m", "%Y"][i % 4])
        length = int(r.normal(230, 50))
        rows.append(
            [
                uuid.UUID(int=int(r.integers(2**63)) << 64 | int(r.integers(2**63)), version=4),
                begun,
                f"{length // 60}:{length % 60:02}",
                f"{r.integers(1, 20)}/{20}",
                choice(["Group", "Person", ""], 1, i)[0],
            ]
        )
    return lines([["gid", "begin", "length", "track", "type"], *rows])


# Printed lists, and files of programs without a name for each column.


@file("psql.txt")
def psql() -> str:
    """PostgreSQL's terminal: a ruler below the names, padded cells, the number of rows at the end."""
    r = random()
    rows = [
        f" {i + 1:4} | {choice(['red', 'green', 'blue'], 1, i)[0]:5} | {r.normal(5, 2):8.3f} | "
        f"{t:%Y-%m-%d %H:%M:%S}+01 "
        for i, t in enumerate(moments(begin="2019-11-01", days=100))
    ]
    return "\n".join(
        [
            "  id  | color |  weight  |         made          ",
            "------+-------+----------+-----",
            *rows,
            "(160 rows)",
            "",
        ]
    )


@file("r_table.txt")
def r_write_table() -> str:
    """R, write.table: names of rows without a name for their column, spaces between cells."""
    r = random()
    rows = [
        [
            f'"{i + 1}"',
            f"{r.normal(20, 5):.1f}",
            r.choice([4, 6, 8]),
            "NA" if i % 15 == 2 else int(r.integers(50, 300)),
            f'"car{i % 9}"',
        ]
        for i in range(N)
    ]
    return lines([['"mpg"', '"cyl"', '"hp"', '"model"'], *rows], " ")


@file("sas.csv")
def sas() -> str:
    """SAS: moments in capitals, a point where there is no number."""
    r = random()
    rows = [
        [
            t.strftime("%d%b%Y:%H:%M:%S").upper(),
            t.strftime("%d%b%Y").upper(),
            "." if i % 12 == 5 else f"{r.normal(120, 15):.0f}",
            "MF"[i % 2],
        ]
        for i, t in enumerate(moments())
    ]
    return lines([["VISIT", "BIRTH", "SBP", "SEX"], *rows])


@file("klines.csv")
def binance_archive() -> str:
    """Binance's archive: no header, moments in microseconds."""
    opened = pd.date_range("2025-01-01", periods=N, freq="15min").as_unit("us").astype(np.int64)
    rows = [
        [t, f"{c:.2f}", f"{c * 1.01:.2f}", f"{v:.5f}"]
        for t, c, v in zip(opened, walk(), random(1).lognormal(2, 1, N), strict=True)
    ]
    return lines(rows)


@file("gdp_quarterly.csv")
def remarks() -> str:
    """A table of an office: quarters, remarks in brackets and stars, figures in thousands with commas."""
    quarters = [f"{1990 + i // 4} Q{i % 4 + 1}" for i in range(120)]
    marks = ["", "", "", "*", " (p)", "[1]"]
    rows = [
        [q, f'"{x:,.0f}{marks[i % 6]}"', f"{y:+.1f}%"]
        for i, (q, x, y) in enumerate(zip(quarters, walk(120, 90_000), random().normal(0.5, 1, 120), strict=True))
    ]
    return lines([["Quarter", "GDP", "Growth"], *rows])
