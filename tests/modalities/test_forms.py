"""Values of a column as people, databases and spreadsheets write them: read by one form, and written back in it."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.modalities import Series, Table
from sparring.modalities.tables.columns import fit_column
from sparring.modalities.tables.columns.forms.date_recognition import date_form
from sparring.modalities.tables.columns.forms.durations import duration_form
from sparring.modalities.tables.columns.forms.number_recognition import Context, number_form
from sparring.modalities.tables.columns.recognition import recognized
from sparring.modalities.tables.reading import of_frame, read_table

random = np.random.default_rng(0)
N = 120
MOMENTS = pd.Timestamp("1985-01-05") + pd.to_timedelta(
    random.choice(9000, N, replace=False) * 86_400 + random.integers(0, 86_400, N), "s"
)
AMOUNTS = random.lognormal(6, 2, N)


def file_of(folder, name, values, separator=","):
    """The rows of a CSV file with a column beside two others."""
    frame = pd.DataFrame({"age": random.integers(18, 80, len(values)), name: values})
    frame["plan"] = random.choice(["basic", "plus"], len(values))
    frame.to_csv(folder / "t.csv", index=False, sep=separator)
    return read_table(folder / "t.csv")


def there_and_back(items, **fields):
    """The fitted table, and its text after encoding and decoding."""
    table = Table(**fields).fit(items)
    decoded = table.decode({VALUES: table.scale(table.encode(items).values)})
    text = table.written(decoded).to_csv(index=False)
    return table, pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


def called(table, name):
    return next(column for column in table.columns if column.name == name)


PATTERNS = [
    "%d-%m-%Y", "%d %b %Y", "%d/%m/%Y", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%m/%d/%y", "%Y/%m/%d", "%Y.%m.%d",
    "%b %d, %Y", "%B %d, %Y", "%d-%b-%y", "%d-%b-%Y", "%d%b%Y", "%Y-%b-%d", "%A, %d %B %Y",
    "%a %d/%m/%Y", "%Y-%m-%d", "%Y-%j", "%G-W%V-%u", "%d. %B %Y",
]  # fmt: skip
MONTHS = ["%Y-%m", "%b-%y", "%b %Y", "%B %Y", "%m/%Y", "%YM%m", "%Y/%m", "%G-W%V", "%Y.%m"]
TIMES = ["%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%Hh%M", "%I.%M %p", "%I%p"]
DATETIMES = [
    "%Y%m%d %H:%M",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S.%f", "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H.%M", "%H:%M %d.%m.%Y", "%d/%b/%Y:%H:%M:%S +0100", "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S +0000", "%Y%m%dT%H%M%S", "%d %b %Y at %H:%M", "%Y-%m-%dT%H:%M:%S+01:00",
    "%Y-%m-%d %H:%M EST", "%d/%m/%Y, %H:%M:%S",
]  # fmt: skip


@pytest.mark.parametrize("pattern", [*PATTERNS, *MONTHS, *TIMES, *DATETIMES])
def test_dates_and_times_are_read_and_written_back(pattern):
    texts = [moment.strftime(pattern) for moment in MOMENTS]
    form = date_form(list(dict.fromkeys(texts))).form
    numbers = form.numbers(texts)
    assert list(form.texts(numbers)) == texts
    if pattern in PATTERNS:
        assert (form.comparable(numbers) == MOMENTS.floor("D").as_unit("us").astype(np.int64)).all()


@pytest.mark.parametrize("pattern", ["%d-%m-%Y", "%d %b %Y", "%I:%M %p", "%b-%y", "%Y-%m-%dT%H:%M:%SZ"])
def test_tables_keep_the_form_of_dates(tmp_path, pattern):
    texts = [moment.replace(second=0).strftime(pattern) for moment in MOMENTS]
    table, back = there_and_back(file_of(tmp_path, "when", texts))
    assert called(table, "when").kind == "number"
    form = called(table, "when").form
    assert np.abs(form.comparable(form.numbers(back["when"])) - form.comparable(form.numbers(texts))).max() < 10**7
    assert any(repr(texts[0]) in note for note in table.encode(file_of(tmp_path, "when", texts)).notes)


@pytest.mark.parametrize(
    "texts",
    [
        ["3. März 2020", "14. Dezember 2021", "1. Mai 2019", "7. Januar 2020"],
        ["3 de marzo de 2020", "14 de diciembre de 2021", "1 de mayo de 2019"],
        ["3 févr. 2020", "14 déc. 2021", "1 mai 2019"],
        ["March 3rd, 2020", "December 14th, 2021", "May 1st, 2019"],
        ["8:05 a.m.", "11:20 p.m.", "12:00 a.m."],
        ["2020年1月5日", "2021年11月15日"],
        ["2020-Q1", "2021-Q4"],
        ["4Q20", "1Q21"],
        ["31-OCT-20 01.27.12.000000 PM", "16-MAY-19 09.42.04.000000 AM"],
        ["Sat Oct 31 13:27:12 UTC 2020", "Thu May 16 09:42:04 UTC 2019"],
        ["20-10-31", "21-01-05", "20-03-30", "21-07-12"],
        ["Q1 2020", "Q3 2021"],
        ["2020-01-05 10:00 CET", "2020-07-05 10:00 CEST"],
        ["2020-01-05T10:00:00+01:00", "2020-07-05T10:00:00+02:00", "2020-12-05T10:00:00+01:00"],
        ["2020-01-31", "2021-02-28 12:30", "2021-03-28"],
        ["2020-01-31 10:00:00", "2021-02-28 12:30:01.5", "2021-03-28 10:00:10.25"],
    ],
)
def test_dates_of_other_languages_zones_and_lengths(texts):
    form = date_form(texts).form
    assert list(form.texts(form.numbers(texts))) == texts


@pytest.mark.parametrize(
    "texts",
    [
        ["1.2.3.4", "10.2.3.1"], ["1.2.3", "1.10.2"], ["1990-1995", "1991-1999"], ["2:1", "3:0"],
        ["2009/10", "2010/11"],
        ["555-12-3456", "555-12-9999"], ["09:00-17:00", "10:00-18:00"], ["Jan", "Feb"], ["1234-05", "7001-11"],
    ],
)  # fmt: skip
def test_what_only_resembles_dates(texts):
    assert date_form(texts) is None


def test_two_digits_of_a_year_stand_for_years_close_together():
    births = date_form([f"{d:02}/06/{y:02}" for d, y in zip(range(1, 29), range(41, 69), strict=True)]).form
    assert births.comparable(births.numbers(["01/06/45"]))[0] < 0
    recent = date_form(["05/03/99", "17/12/01", "30/06/20"]).form
    assert (recent.comparable(recent.numbers(["05/03/99", "30/06/20"])) > 0).all()


def test_an_ambiguous_order_is_told_and_can_be_chosen(tmp_path):
    texts = ["01/02/2020", "02/03/2020", "05/06/2020"] * 10
    items = file_of(tmp_path, "when", texts)
    [note] = called(Table().fit(items), "when").notes
    assert "month, day, year" in note
    assert "columns='when=%d/%m/%Y'" in note
    table = Table(told=("when=%d/%m/%Y",)).fit(items)
    assert table.request(where=["when<=2020-02-01"]).rules[0].holds(items.items).sum() == 10
    with pytest.raises(InputError, match="is not written so"):
        Table(told=("when=%Y-%m-%d",)).fit(items)


def test_other_columns_and_the_first_of_each_month_decide_the_order(tmp_path):
    frame = pd.DataFrame(
        {"a": ["01/02/2020", "02/03/2020"] * 10, "b": ["13/02/2020", "28/03/2020"] * 10, "c": ["x", "y"] * 10}
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert called(Table().fit(read_table(tmp_path / "t.csv")), "a").form.pattern == "%d/%m/%Y"
    assert date_form([f"01/{m:02}/2020" for m in range(1, 13)]).form.pattern == "%d/%m/%Y"
    assert date_form([f"{m}/1/2020" for m in range(1, 13)]).form.pattern == "%-m/%-d/%Y"


def test_a_few_bad_cells_are_missing_and_named(tmp_path):
    texts = [moment.strftime("%d.%m.%Y") for moment in MOMENTS]
    texts[3], texts[50] = "unbekannt", "31.02.2020"
    table, back = there_and_back(file_of(tmp_path, "when", texts))
    assert [i for i, text in enumerate(back["when"]) if text == ""] == [3, 50]
    assert any("'unbekannt', '31.02.2020'" in note for note in called(table, "when").notes)


WHOLE = ["%Y%m%d", "%Y%m", "%d%m%Y", "%m%d%Y", "%Y%m%d%H%M", "%y%m%d"]


@pytest.mark.parametrize("pattern", WHOLE)
def test_dates_as_whole_numbers_exist(tmp_path, pattern):
    values = [int(moment.strftime(pattern)) for moment in MOMENTS]
    table, back = there_and_back(file_of(tmp_path, "posted", values))
    assert called(table, "posted").form.pattern == pattern
    assert (back["posted"].astype(int) == values).mean() > 0.9  # minutes of decades are rounded
    if pattern == "%Y%m%d":
        rows = file_of(tmp_path, "posted", values).items
        before = table.request(where=["posted<2000-01-01"]).rules[0].holds(rows)
        assert (before == (np.array(values) < 20000101)).all()


def test_times_as_whole_numbers_exist_and_quantities_are_none():
    minutes = pd.Series(random.integers(0, 1440, 600), name="dep")
    clock = minutes // 60 * 100 + minutes % 60
    assert fit_column(clock).form.pattern == "%H%M"
    for quantity in (
        random.integers(0, 2400, 600),
        random.integers(0, 48, 600) * 50,
        random.integers(10**5, 10**6, 600),
    ):
        assert fit_column(pd.Series(quantity, name="x"), "number").form is None


def german(x):
    return f"{x:,.2f}".translate(str.maketrans(",.", ".,"))


def indian(x):
    whole, fraction = f"{x:.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    return ",".join([*[head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1], tail]) + "." + fraction


NUMBERS = {
    "percent": lambda x: f"{x:.2f}%", "spaced percent": lambda x: f"{x:.1f} %".replace(".", ","),
    "dollars": lambda x: f"${x:,.2f}", "euros": lambda x: f"{german(x)} €", "code": lambda x: f"CHF {x:,.2f}",
    "german": german, "french": lambda x: f"{x:,.2f}".translate(str.maketrans(",.", "\u202f,")),
    "swiss": lambda x: f"{x:,.2f}".replace(",", "\u2019"), "indian": indian, "units": lambda x: f"{x:.0f} kg",
    "brackets": lambda x: f"({x:,.2f})" if x % 2 < 1 else f"{x:,.2f}",
    "trailing minus": lambda x: f"{abs(x - 400):.2f}{'-' if x < 400 else ''}",
    "unicode minus": lambda x: f"{x - 400:.2f}".replace("-", "\u2212"), "signs": lambda x: f"{x - 400:+.2f}",
    "minus and currency": lambda x: f"-${400 - x:,.2f}" if x < 400 else f"${x - 400:,.2f}",
    "minus after currency": lambda x: f"€ {x - 400:,.2f}", "credit": lambda x: f"{x:,.2f} {'CR' if x < 400 else 'DR'}",
    "scientific": lambda x: f"{x:.3E}", "fixed": lambda x: f"{x:.2f}", "points": lambda x: german(x)[:-3],
    "real": lambda x: f"R$ {german(x)}", "rupees": lambda x: f"Rs.{x:,.0f}", "area": lambda x: f"{x:.0f} m²",
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_read_and_written_back(tmp_path, name):
    texts = [NUMBERS[name](x) for x in AMOUNTS]
    items = file_of(tmp_path, "amount", texts)
    table, back = there_and_back(items)
    column = called(table, "amount")
    assert column.kind == "number"
    wanted, found = column.form.numbers(texts), column.form.numbers(back["amount"])
    assert not np.isnan(wanted).any()
    assert np.allclose(wanted, found, rtol=1e-3, atol=0.011)
    assert list(column.form.texts(wanted)) == texts
    assert (np.sign(wanted) == [-1 if _negative(name, x, text) else 1 for x, text in zip(AMOUNTS, texts, strict=True)])[
        wanted != 0
    ].all()


def _negative(name, x, text):
    return {"brackets": text[0] == "(", "credit": "DR" in text}.get(
        name, x < 400 and ("minus" in name or name == "signs")
    )


def test_accounts_write_zero_as_a_dash():
    texts = ["$ (92.17)", "$ 507.63", "$ -"]
    form = number_form(texts, Context())
    assert form.numbers(texts).tolist() == [-92.17, 507.63, 0]
    assert list(form.texts(form.numbers(texts))) == texts


def test_magnitudes():
    texts = ["1.2M", "350K", "900", "2.5B", "12K"]
    form = number_form(texts, Context())
    assert form.numbers(texts).tolist() == [1.2e6, 3.5e5, 900, 2.5e9, 1.2e4]
    assert list(form.texts(form.numbers(texts))) == texts
    dollars = ["$1.2B", "$350M", "$12K"]
    form = number_form(dollars, Context())
    assert list(form.texts(form.numbers(dollars))) == dollars


@pytest.mark.parametrize(
    ("texts", "context", "first"),
    [
        (["6.357", "12.120", "987"], Context(), 6357),
        (["1.234", "2.100", "3.456"], Context(), 1.234),
        (["1.234", "2.100", "3.456"], Context(decimal=","), 1234),
        (["1,234", "12,345", "987"], Context(), 1234),
        (["3,340", "630"], Context(semicolons=True), 3.34),
        (["0.125", "1.500"], Context(decimal=","), 0.125),
        (["1.234.567", "12.120"], Context(), 1234567),
        (["92,169", "1495,721", *(f"{i},125" for i in range(100, 140))], Context(), 92.169),
    ],
)
def test_marks_of_other_countries(texts, context, first):
    assert number_form(texts, context).numbers(texts)[0] == first


def test_other_columns_decide_what_a_point_is(tmp_path):
    frame = pd.DataFrame({"people": ["1.234", "2.100", "3.456"] * 10, "share": ["1,5", "22,75", "3,25"] * 10})
    frame.to_csv(tmp_path / "t.csv", index=False, sep=";")
    table = Table(told=("people=number",)).fit(read_table(tmp_path / "t.csv"))
    assert called(table, "people").form.number("1.234") == 1234


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["26:10:05", "3:04:05", "100:00:00"], "clock"), (["03:25.5", "04:11.2"], "clock"),
        (["3 days 04:05:06", "12 days 23:00:00"], "clock"), (["2h 50m", "19h", "5m"], "units"),
        (["PT2H50M", "P1DT3H", "PT45M"], "iso"), (["-0:10:05", "3:04:05", "25:00:00"], "clock"),
    ],
)  # fmt: skip
def test_durations(texts, form):
    found = duration_form(texts)
    assert found.style == form
    assert list(found.texts(found.numbers(texts))) == texts


CODES = {
    "zeros": [f"{v:05}" for v in range(99_999, 10, -777)],
    "versions": ["1.1", "1.10", "1.9", "2.0"] * 30,
    "powers": [f"{i % 9}E{i % 7}" for i in range(120)],
    "words": ["None", "inf", "true", "nothing"] * 30,
    "truth": ["true", "false"] * 60,
    "countries": ["DE", "FR", "NA", "US", "NO", "IT"] * 20,
    "regions": ["EMEA", "NA", "APAC", "LATAM"] * 30,
    "invoices": [f"C{536000 + i % 40}" if i % 25 == 0 else str(536000 + i % 40) for i in range(120)],
    "stock": [f"{22000 + i % 30}{'ABC'[i % 3] if i % 5 == 0 else ''}" for i in range(120)],
    "long": [str(10**24 + i % 30) for i in range(120)],
    "units of codes": [f"A-{i % 30:02}" for i in range(120)],
}


@pytest.mark.parametrize("name", CODES)
def test_codes_keep_all_characters(tmp_path, name):
    values = CODES[name]
    _, back = there_and_back(file_of(tmp_path, "code", values), told=("code=category",))
    shown = set(back["code"])
    assert shown <= set(values)
    detected = called(Table().fit(file_of(tmp_path, "code", values)), "code")
    assert detected.kind in ("category", "identifier")
    assert detected.form is None
    if detected.kind == "category" and len(set(values)) <= 100:
        assert back["code"].tolist() == values


def test_identifiers_are_new_and_all_different():
    for values in (
        [f"P{v:05}" for v in random.choice(10**5, 300, replace=False)],
        [f"{v:04}" for v in random.choice(10**4, 7000, replace=False)],
        [f"{int(a):016x}{int(b):016x}" for a, b in random.integers(0, 2**62, (300, 2))],
        random.choice(10**5, 4000, replace=False).tolist(),
        [f"user{i}@example.org" for i in range(300)],
        (random.integers(0, 2**62, 300).astype(np.uint64) + np.uint64(2**63)).tolist(),
    ):
        data = pd.Series(values, name="id")
        column = fit_column(data, "identifier")
        parts = [column.decode(None, None, random.random(2000), start) for start in (0, 2000)]
        new = [str(value) for part in parts for value in part]
        assert len(set(new)) == 4000
        assert not set(new) & set(map(str, values))


def test_hexadecimal_identifiers_stay_hexadecimal():
    values = pd.Series([f"{int(a):016x}" for a in random.integers(2**60, 2**62, 300)], name="id")
    new = pd.Series(fit_column(values).decode(None, None, random.random(300)))
    assert new.str.fullmatch("[0-9a-f]{16}").all()


def test_codes_that_are_numbers_are_categories():
    codes = np.sort(random.choice(np.arange(100, 999), 60, replace=False))
    column = fit_column(pd.Series(random.choice(codes, 2500), name="diagnosis"))
    assert column.kind == "category"
    assert "columns=diagnosis=number" in column.notes[0]
    assert fit_column(pd.Series(random.integers(1000, 1900, 2500), name="store_id")).kind == "category"
    for name, values in {
        "age": random.integers(17, 90, 2500), "reviews": (random.pareto(1, 2500) * 5).astype(int),
        "gain": np.where(random.random(2500) < 0.9, 0, random.choice(codes, 2500)),
        "rooms": random.integers(1, 40, 2500) * 100,
    }.items():  # fmt: skip
        assert fit_column(pd.Series(values, name=name)).kind == "number", name
    many = fit_column(pd.Series(random.choice(np.unique(random.integers(0, 10**5, 300)), 5000), name="x"))
    assert "columns=x=category" in many.notes[0]


def test_invented_text_is_told(tmp_path):
    notes = called(Table().fit(file_of(tmp_path, "note", [f"x{i} y" for i in range(N)])), "note").notes
    assert "invented" in notes[0]
    odd = pd.Series(
        [f"{i % 28 + 1}.{i % 12 + 1}.20{i % 20 + 10}" if i % 3 else f"week {i}" for i in range(N)], name="d"
    )
    assert "look like dates" in recognized(odd).notes[0]


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """A table with a column of each form, and its rows."""
    frame = pd.DataFrame(
        {
            "ordered": [moment.strftime("%d/%m/%Y") for moment in MOMENTS],
            "shipped": [(moment + pd.Timedelta(days=3)).strftime("%Y-%m-%d") for moment in MOMENTS],
            "price": [german(x) for x in AMOUNTS],
            "rate": [f"{x % 30:.2f}%" for x in AMOUNTS],
            "at": [moment.strftime("%I:%M %p") for moment in MOMENTS],
            "month": [moment.strftime("%b-%y") for moment in MOMENTS],
            "job": random.choice(["Clerk ", "Cook ", "cook", "Driver"], N),
        }
    )
    folder = tmp_path_factory.mktemp("orders")
    frame.to_csv(folder / "t.csv", index=False, sep=";")
    items = read_table(folder / "t.csv")
    return Table().fit(items), items.items


def test_conditions_are_read_in_the_form_of_the_column(orders):
    table, rows = orders
    days = MOMENTS.floor("D")
    limit = "05/03/1999"
    cases = {
        f"ordered<={limit}": days <= "1999-03-05", "ordered>1999-03-05": days > "1999-03-05",
        "ordered>5 March 1999": days > "1999-03-05",
        "price>=1.000,00": AMOUNTS >= 999.995, "price<12.5": np.round(AMOUNTS, 2) < 12.5,
        "rate<10%": AMOUNTS % 30 < 9.995,
        "rate>=20": np.round(AMOUNTS % 30, 2) >= 20,
        "at<09:30 AM": MOMENTS - days < "09:30:00",
        "at>=13:00": MOMENTS - days >= "13:00:00", "month<=Mar-99": days < "1999-04-01",
        "ordered<shipped": days < "2999-01-01",
        "ordered>=shipped": days > "2999-01-01",
    }  # fmt: skip
    for text, expected in cases.items():
        assert (table.request(where=[text]).rules[0].holds(rows) == expected).all(), text
    decoded = table.decode({VALUES: table.scale(table.encode(of_frame(rows)).values)})
    late = table.request(where=[f"ordered<={limit}"]).rules[0]
    assert (late.holds(decoded) == late.holds(table.written(decoded))).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ordered<=31/02/1999", "holds dates such as"), ("price>=1.23,4.5", "holds numbers such as"),
        ("at<25:00", "holds times such as"),
        ("job=Pilot", "has no level 'Pilot'"), ("job=COOK", "has the levels .*; choose one"),
        ("ordered<price", "not both numbers or both dates"), ("ordered<01/13/1999", "holds dates such as"),
    ],
)  # fmt: skip
def test_conditions_that_cannot_be_read(orders, text, message):
    with pytest.raises(InputError, match=message):
        orders[0].request(where=[text])


@pytest.mark.parametrize(
    ("typed", "level"),
    [("Clerk", "Clerk "), ("Clerk ", "Clerk "), ("clerk", "Clerk "), ("cook", "cook"), ("Cook ", "Cook ")],
)
def test_levels_are_found_without_their_spaces_and_case(orders, typed, level):
    table, rows = orders
    assert set(rows["job"][table.request(where=[f"job={typed}"]).rules[0].holds(rows)]) == {level}


def test_other_files_are_read_by_the_form_of_the_column(orders, tmp_path):
    table, rows = orders
    ambiguous = rows.head(40).assign(ordered=[f"0{i % 9 + 1}/0{i % 8 + 1}/2001" for i in range(40)])
    ambiguous.to_csv(tmp_path / "held.csv", index=False, sep=";")
    held = read_table(tmp_path / "held.csv").items
    x = table.rows(held).values[:, 0]
    expected = pd.to_datetime(ambiguous["ordered"], format="%d/%m/%Y").to_numpy().astype("datetime64[D]").astype(int)
    assert (x == expected).all()
    memory = rows.assign(
        ordered=pd.to_datetime(rows["ordered"], format="%d/%m/%Y"),
        price=called(table, "price").form.numbers(rows["price"]),
    )
    assert np.allclose(table.rows(memory).values, table.rows(rows).values)


def test_forms_are_kept_in_frames_and_json(orders):
    table, rows = orders
    text = rows.astype(object)
    back = there_and_back(of_frame(text))[0]
    decoded = back.decode({VALUES: back.scale(back.encode(of_frame(text)).values)})
    assert decoded.dtypes.map(str).tolist() == text.dtypes.map(str).tolist()
    assert decoded["ordered"].tolist() == rows["ordered"].tolist()
    shown = table.as_json(
        type("S", (), {"items": table.decode({VALUES: table.scale(table.encode(of_frame(rows)).values)})})
    )
    assert shown["rows"][0]["ordered"] == rows["ordered"][0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.datetimes(pd.Timestamp("1800-01-01"), pd.Timestamp("2200-01-01")), min_size=3, max_size=30, unique=True)
)
def test_any_dates_come_back(moments):
    texts = [f"{moment:%d/%m/%Y %H:%M:%S}" for moment in moments]
    found = date_form(list(dict.fromkeys(texts)))
    assert list(found.form.texts(found.form.numbers(texts))) == texts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=3, max_size=30), st.sampled_from(["", "$", "€ "]))
def test_any_amounts_come_back(amounts, currency):
    texts = [f"{'-' if x < 0 else ''}{currency}{abs(x):,.2f}" for x in amounts]
    form = number_form(list(dict.fromkeys(texts)), Context())
    assert np.allclose(form.numbers(texts), [float(x) for x in amounts])
    assert list(form.texts(form.numbers(texts))) == texts


@pytest.mark.parametrize("pattern", ["%Y-%m", "%d/%m/%Y", "%b %Y", "%d.%m.%Y"])
def test_series_keep_the_form_of_their_dates(tmp_path, pattern):
    months = pd.date_range("1949-01-01", periods=144, freq="MS")[::-1]  # the newest first
    frame = pd.DataFrame({"Month": months.strftime(pattern), "Passengers": random.integers(100, 600, 144)})
    frame.to_csv(tmp_path / "air.csv", index=False)
    items = Series.read(tmp_path / "air.csv")
    series = Series(window=24).fit(items)
    assert series.end.startswith("1960-12-01")
    text = series._as_text(type("S", (), {"items": np.ones((1, 3, 1))}))
    assert text["Month"].tolist() == pd.date_range("1961-01-01", periods=3, freq="MS").strftime(pattern).tolist()


@pytest.mark.parametrize("code", [-99, -9999, 9999, -88, 999])
def test_codes_of_missing_answers_are_never_mixed_with_numbers(tmp_path, code):
    ages = random.integers(18, 90, N)
    ages[::15] = code
    table, back = there_and_back(file_of(tmp_path, "years", ages))
    column = called(table, "years")
    assert f"{code}, far from its other numbers" in " ".join(column.notes)
    made = column.decode(np.repeat(np.arange(column.width), 50), random.uniform(-1, 1, 50 * column.width), np.zeros(0))
    assert set(made[(made < 18) | (made >= 90)]) == {code}
    assert (back["years"] == str(code)).sum() == 8


@pytest.mark.parametrize("mark", [" p", " (e)", "*", "[1]", " bep"])
def test_remarks_after_numbers_are_left_out(tmp_path, mark):
    texts = [f"{x:.1f}{mark if i % 4 == 0 else ''}" for i, x in enumerate(AMOUNTS)]
    table, back = there_and_back(file_of(tmp_path, "rate", texts))
    assert called(table, "rate").kind == "number"
    assert any("remarks after numbers" in note for note in called(table, "rate").notes)
    assert np.allclose(back["rate"].astype(float), AMOUNTS, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("unit", ["kg", "A", "m", "°C"])
def test_units_and_letters_of_codes_are_no_remarks(unit):
    texts = [f"{i}{unit if i % 4 == 0 else ''}" for i in range(200, 320)]
    form = recognized(pd.Series(texts)).form
    assert form is None or not form.flags


def test_decimal_commas_become_points_only_where_nothing_else_is_marked(tmp_path):
    prices = [f"{x:.2f}".replace(".", ",") for x in AMOUNTS % 900]
    _, back = there_and_back(file_of(tmp_path, "price", prices, ";"))
    assert back["price"].str.fullmatch(r"\d+\.\d\d").all()
    for others in ([german(x + 1000) for x in AMOUNTS], [f"{x:.0f} €" for x in AMOUNTS]):
        frame = pd.DataFrame({"price": prices, "other": others, "plan": random.choice(["a", "b"], N)})
        frame.to_csv(tmp_path / "m.csv", index=False, sep=";")
        _, back = there_and_back(read_table(tmp_path / "m.csv"))
        assert back["price"].str.fullmatch(r"\d+,\d\d").all()


@pytest.mark.parametrize(("text", "value"), [("5,-", 5), ("Country 5, The", None), ("No. 5, Main Street", None)])
def test_a_comma_before_words_is_no_decimal_mark(text, value):
    form = recognized(pd.Series([text.replace("5", str(i)) for i in range(3, 40)])).form
    assert (form is None) == (value is None)


def test_known_identifiers_stay_valid():
    import ipaddress
    import uuid

    for values, valid in (
        ([f"10.{i % 3}.{i % 7}.{i % 256}" for i in range(300)], ipaddress.ip_address),
        ([f"{i * 7 % 223}.{i % 256}.{i * 3 % 256}.{i % 250}" for i in range(300)], ipaddress.ip_address),
        ([str(uuid.UUID(int=int(a) << 64 | int(b), version=4)) for a, b in random.integers(0, 2**62, (300, 2))], None),
    ):
        made = fit_column(pd.Series(values, name="id"), "identifier").decode(None, None, random.random(500))
        assert len(set(made)) == 500
        assert all(valid(text) if valid else uuid.UUID(text).version == 4 for text in made)
        assert valid or all(uuid.UUID(text).variant == uuid.RFC_4122 for text in made)
